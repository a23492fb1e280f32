// SPDX-License-Identifier: GPL-2.0-only
// What the kernel tells about itself: mount tables and the kernel log.
#pragma once

#include "base/fd.h"

#include <string>
#include <vector>

namespace erofs_share {

/// The mount options that /proc/self/mounts shows for @target, split at
/// commas; empty if nothing is mounted there.
std::vector<std::string> shown_options(const std::string &target);

/// Targets of all mounted erofs file systems.
std::vector<std::string> erofs_mounts();

/// Reads the kernel log from the moment of construction on.
class KernelLog {
      public:
	/// Starts at the end of the log. Throws if /dev/kmsg cannot be read.
	KernelLog();
	/// The lines logged since construction or the last call, without
	/// priority and time stamp.
	std::vector<std::string> read_new();

      private:
	UniqueFd fd_;
};

} // namespace erofs_share
