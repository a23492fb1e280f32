// SPDX-License-Identifier: GPL-2.0-only
// Masking, revealing and wiping of domain ids.
#include "machine/domain_id.h"

#include "base/error.h"

#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <sys/random.h>

namespace erofs_share {

DomainId::Revealed::Revealed(const DomainId &id)
    : text_(id.masked_.size() + 1, '\0')
{
	id.reveal_to(text_.data());
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

DomainId DomainId::from_masked_hex(std::string_view hex)
{
	DomainId id;

	if (hex.empty() || hex.size() % 2 != 0)
		throw std::invalid_argument(
			"a masked domain id: expected pairs of hexadecimal "
			"digits");
	for (std::size_t i = 0; i < hex.size(); i += 2) {
		unsigned int byte = 0;
		const char *from = hex.data() + i;
		const auto [end, error] =
			std::from_chars(from, from + 2, byte, 16);

		if (error != std::errc() || end != from + 2)
			throw std::invalid_argument(
				"a masked domain id: '" + std::string(from, 2) +
				"' is no pair of hexadecimal digits");
		id.masked_.push_back(static_cast<char>(byte));
	}
	return id;
}

std::string DomainId::masked_hex() const
{
	static constexpr std::string_view kDigits = "0123456789abcdef";
	std::string hex;

	for (const char c : masked_) {
		hex += kDigits[static_cast<unsigned char>(c) >> 4];
		hex += kDigits[static_cast<unsigned char>(c) & 15];
	}
	return hex;
}

void DomainId::reveal_to(char *out) const
{
	volatile char *to = out;

	for (std::size_t i = 0; i < masked_.size(); i++)
		to[i] = static_cast<char>(masked_[i] ^ kMask);
}

} // namespace erofs_share
