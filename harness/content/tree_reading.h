// SPDX-License-Identifier: GPL-2.0-only
// What two images take of the page cache when all of their files are read: the
// demonstration's and the benchmarks' measurement.
#pragma once

#include "machine/mount.h"

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// What was read, and what it took.
struct TreeReading {
	std::uint64_t files = 0;
	std::uint64_t bytes = 0;
	std::uint64_t cached = 0; ///< growth of Cached while reading, in bytes
	/// The mounts' lines of /proc/mounts.
	std::vector<std::string> mount_lines;
};

/// Every regular file below @root that is not empty, once an inode. Throws.
std::vector<std::string> files_with_content(const std::string &root);

/// The lines of /proc/mounts that @mounts have there. Throws.
std::vector<std::string> mount_lines(const std::vector<const Mount *> &mounts);

/// Mounts the images @first and @second (block devices or files) with
/// @options, drops all caches, reads every regular file of both that is not
/// empty, once an inode, and measures the growth of the page cache. Throws.
TreeReading read_two_trees(const std::string &first, const std::string &second,
			   const MountOptions &options);

} // namespace erofs_share
