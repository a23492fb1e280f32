// SPDX-License-Identifier: GPL-2.0-only
// The demonstration: how much page cache two images take, read file by file,
// without and with sharing.
#pragma once

#include "wire/record.h"

#include <string>

namespace erofs_share {

/// Mounts the images on disks @first and @second (paths of block devices),
/// reads every regular file of both that is not empty, once an inode, and
/// measures the growth of the page cache; first plain, then with inode_share in
/// a random domain. Returns the "demo" record: files, bytes, cached_plain,
/// cached_shared (bytes) and mounts, the lines of /proc/mounts of the shared
/// mounts. Throws.
Record run_demo(const std::string &first, const std::string &second);

} // namespace erofs_share
