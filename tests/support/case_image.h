// SPDX-License-Identifier: GPL-2.0-only
// Images that are no disks of the guest: those of the directory "cases" of the
// image store, and such as a test patches.
#pragma once

#include "machine/mount.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace erofs_share {

/// Path of the image @name of the image store's cases.
std::string case_file(const std::string &name);

/// Mounts the image in @file by a loop device of its own, which goes with the
/// mount; @devices are files with the image's other devices. Throws.
Mount mount_case(const std::string &file, const MountOptions &options,
		 const std::vector<std::string> &devices = {});

/// All bytes of the file at @path. Throws.
std::vector<std::byte> file_bytes(const std::string &path);

/// Writes @image, patched, to @path, with a checksum that fits. Throws.
void write_patched(const std::string &path, std::vector<std::byte> image);

} // namespace erofs_share
