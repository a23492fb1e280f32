// SPDX-License-Identifier: GPL-2.0-only
// Which block devices are under dm-verity, by what sysfs says of them.
#pragma once

#include "base/fd.h"
#include "helper/mount_request.h"

#include <sys/types.h>

namespace erofs_share {

/// What sysfs says of block devices, held open: for a process that goes to
/// another mount namespace and must not believe what is mounted there.
UniqueFd open_block_devices();

/// Whether the block device number @device has a dm-verity target, by the uuid
/// that veritysetup(8) and systemd give to such devices. One that lies below
/// another device is not seen.
bool is_verity_device(dev_t device);
/// The same by @devices, of open_block_devices().
bool is_verity_device(dev_t device, const UniqueFd &devices);

/// Whether the source of @request and every device that its options name are
/// such devices. A path that is none, or that nobody can look at, is not.
bool all_under_verity(const MountRequest &request);

} // namespace erofs_share
