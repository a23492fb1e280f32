// SPDX-License-Identifier: GPL-2.0-only
// Changes to the superblock of an erofs image on the host, to make images that
// mkfs.erofs would not write.
#pragma once

#include <string>

namespace erofs_share {

/// Declares long attribute prefix number @prefix to be the one that carries
/// the fingerprints: sets the compatible feature bit and the prefix number. The
/// superblock's checksum is switched off, not recomputed. Throws.
void declare_fingerprints(const std::string &image, unsigned char prefix);

} // namespace erofs_share
