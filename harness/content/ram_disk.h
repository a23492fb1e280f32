// SPDX-License-Identifier: GPL-2.0-only
// Images in the guest's own memory (the driver brd): reading them never waits,
// so that what a read costs does not depend on the host.
#pragma once

#include <string>

namespace erofs_share {

/// Copies the disk with serial @serial to the block device @target, past the
/// page cache. Returns @target. Throws, also when it is too small.
std::string copy_to_device(const std::string &serial,
			   const std::string &target);

/// The same, to /dev/ram@number.
std::string copy_to_ram_disk(const std::string &serial, int number);

} // namespace erofs_share
