// SPDX-License-Identifier: GPL-2.0-only
// A page of memory for the plain text of a domain id, for programs whose own
// memory is searched: nothing of it stays when it goes.
#pragma once

#include "machine/domain_id.h"

#include <cstddef>
#include <string_view>

namespace erofs_share {

/// A page, full of zeroes at first, wiped and unmapped when it goes out of
/// scope. It is locked and no part of a huge page, so that the kernel neither
/// swaps nor gathers it, which would leave a copy behind.
class ClearPage {
      public:
	static constexpr std::size_t kSize = 4096;

	/// Throws when there is no memory.
	ClearPage();
	ClearPage(const ClearPage &) = delete;
	ClearPage &operator=(const ClearPage &) = delete;
	ClearPage(ClearPage &&) = delete;
	ClearPage &operator=(ClearPage &&) = delete;
	~ClearPage();

	/// Each puts something behind what is there, if that and a NUL fit.
	/// Throws std::length_error otherwise.
	void add(std::string_view text);
	void add(const DomainId &id);
	void add(char c);

	/// Start of the page: what was added, and zeroes.
	[[nodiscard]] const char *c_str() const
	{
		return page_;
	}
	/// Bytes added so far.
	[[nodiscard]] std::size_t size() const
	{
		return used_;
	}

      private:
	void reserve(std::size_t more) const;

	char *page_;
	std::size_t used_ = 0;
};

} // namespace erofs_share
