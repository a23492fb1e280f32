// SPDX-License-Identifier: GPL-2.0-only
// What the mount helper does: one mount, or one remount, with page cache
// sharing.
#pragma once

#include "helper/mount_request.h"

#include <string>
#include <vector>

namespace erofs_share {

/// What the helper has to say besides errors.
struct MountReport {
	std::vector<std::string> done;	   ///< what was done, for -v
	std::vector<std::string> warnings; ///< what the user must know
};

/// Does what @request asks, and adds to @report on the way. Throws
/// MountFailure, or std::system_error where the system fails; then nothing is
/// mounted and no loop device is left.
void carry_out(const MountRequest &request, MountReport &report);

} // namespace erofs_share
