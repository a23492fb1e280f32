// SPDX-License-Identifier: GPL-2.0-only
// Masking, revealing and wiping of domain ids.
#include "domain_id.h"

#include "error.h"

#include <array>
#include <cstring>
#include <sys/random.h>

namespace erofs_share {

DomainId::Revealed::Revealed(const DomainId &id)
    : text_(id.masked_.size() + 1, '\0')
{
	for (std::size_t i = 0; i < id.masked_.size(); i++)
		text_[i] = static_cast<char>(id.masked_[i] ^ kMask);
}

DomainId::Revealed::~Revealed()
{
	explicit_bzero(text_.data(), text_.size());
}

DomainId::DomainId(std::string_view text)
{
	masked_.reserve(text.size());
	for (const char c : text)
		masked_.push_back(static_cast<char>(c ^ kMask));
}

DomainId DomainId::random()
{
	static constexpr std::string_view kDigits = "0123456789abcdef";
	std::array<unsigned char, 16> raw{};
	std::array<char, 32> text{};

	if (getrandom(raw.data(), raw.size(), 0) !=
	    static_cast<ssize_t>(raw.size()))
		throw_errno("getrandom");
	for (std::size_t i = 0; i < raw.size(); i++) {
		text[2 * i] = kDigits[raw[i] >> 4];
		text[2 * i + 1] = kDigits[raw[i] & 15];
	}
	DomainId id(std::string_view(text.data(), text.size()));
	explicit_bzero(raw.data(), raw.size());
	explicit_bzero(text.data(), text.size());
	return id;
}

} // namespace erofs_share
