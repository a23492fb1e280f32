// SPDX-License-Identifier: GPL-2.0-only
// Which block devices are under dm-verity, by what sysfs says of them.
#pragma once

#include "mount_request.h"

#include <sys/types.h>

namespace erofs_share {

/// Whether the block device number @device has a dm-verity target, by the uuid
/// that veritysetup(8) and systemd give to such devices. One that lies below
/// another device is not seen.
bool is_verity_device(dev_t device);

/// Whether the source of @request and every device that its options name are
/// such devices. A path that is none, or that nobody can look at, is not.
bool all_under_verity(const MountRequest &request);

} // namespace erofs_share
