// SPDX-License-Identifier: GPL-2.0-only
// The memory benchmark's part in the guest: one measurement a call, each a
// record "bench" for the host.
#pragma once

#include "wire/record.h"

#include <string>

namespace erofs_share {

/// What a measurement is of.
struct MemoryRun {
	std::string name;   ///< the record's "name", for whoever reads it
	std::string first;  ///< a block device or file with the older image
	std::string second; ///< with the newer one
	bool share = false; ///< mount with inode_share, in a random domain
};

/// Reads all files of both images, as read_two_trees() has it. Returns the
/// record: name, files, bytes, cached (bytes), mounts (lines of /proc/mounts).
/// Throws.
Record measure_reading(const MemoryRun &run);

/// Starts the program that @script describes from each image, in a Container
/// each, both running at once, and measures the growth of the page cache
/// without tmpfs. Returns the record: name, cached, mounts; and of plain mounts
/// resident and unique, the resident bytes of both images' files as they are
/// and with equal files counted as one. Throws.
Record measure_start(const MemoryRun &run, const std::string &script);

} // namespace erofs_share
