// SPDX-License-Identifier: GPL-2.0-only
// Pages for plain text. Everything goes byte by byte: see
// DomainId::reveal_to().
#include "machine/clear_page.h"

#include "base/error.h"

#include <stdexcept>
#include <sys/mman.h>

namespace erofs_share {

ClearPage::ClearPage()
    : page_(static_cast<char *>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)))
{
	if (page_ == MAP_FAILED)
		throw_errno("mmap");
	// A kernel without huge pages does not know the advice.
	madvise(page_, kSize, MADV_NOHUGEPAGE);
	if (mlock(page_, kSize) != 0) {
		munmap(page_, kSize);
		throw_errno("mlock");
	}
}

ClearPage::~ClearPage()
{
	volatile char *byte = page_;

	for (std::size_t i = 0; i < kSize; i++)
		byte[i] = 0;
	munmap(page_, kSize);
}

void ClearPage::reserve(std::size_t more) const
{
	if (used_ + more >= kSize)
		throw std::length_error("more text than a page holds");
}

void ClearPage::add(std::string_view text)
{
	for (const char c : text)
		add(c);
}

void ClearPage::add(const DomainId &id)
{
	reserve(id.size());
	id.reveal_to(page_ + used_);
	used_ += id.size();
}

void ClearPage::add(char c)
{
	reserve(1);
	static_cast<volatile char *>(page_)[used_++] = c;
}

} // namespace erofs_share
