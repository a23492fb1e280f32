// SPDX-License-Identifier: GPL-2.0-only
// What the mount helper does for -o remount.
#pragma once

#include "helper/mount_request.h"
#include "helper/share_mount.h"

namespace erofs_share {

/// Changes the options of the mount that @request names; as carry_out().
void remount(const MountRequest &request, MountReport &report);

} // namespace erofs_share
