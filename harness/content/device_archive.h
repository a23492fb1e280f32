// SPDX-License-Identifier: GPL-2.0-only
// The tree "devices": files of its own and the node of a character device, made
// as an archive, because only root may make nodes.
#pragma once

#include <string>

namespace erofs_share {

/// The tree whose archive this is.
inline constexpr const char *kDeviceTree = "devices";
/// In that tree: the node of the device that tests/modules/swap_mapping.c
/// drives.
inline constexpr const char *kSwapMappingNode = "swap_mapping";

/// Writes the tree "devices" as an archive to @path. Throws if it cannot.
void write_device_archive(const std::string &path);

} // namespace erofs_share
