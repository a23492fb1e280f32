// SPDX-License-Identifier: GPL-2.0-only
// A sound image that stays mounted while hostile ones come and go, with all of
// its files open, and what it must still hold after each of them.
#pragma once

#include "base/fd.h"
#include "content/content.h"
#include "machine/mount.h"

#include <cstddef>
#include <string>
#include <vector>

namespace erofs_share {

/// All bytes of each file of @tree, in its order.
std::vector<std::vector<std::byte>> contents_of(const Tree &tree);

/// One mount of it.
class SoundImage {
      public:
	/// Takes over @mount, which has @tree with @contents; both must outlive
	/// this object. Opens all files. Throws.
	SoundImage(Mount mount, const Tree &tree,
		   const std::vector<std::vector<std::byte>> &contents);

	/// Drops what is cached of its files.
	void drop_cache() const;
	/// The first file that does not read as it should, and how; "" if there
	/// is none.
	[[nodiscard]] std::string damage() const;
	/// The same, but contents may be another's: only a length that is not
	/// the file's, or an error, is damage.
	[[nodiscard]] std::string unreadable() const;

      private:
	[[nodiscard]] std::string read_all(bool compare) const;

	Mount mount_;
	const Tree &tree_;
	const std::vector<std::vector<std::byte>> &contents_;
	std::vector<UniqueFd> files_;
};

} // namespace erofs_share
