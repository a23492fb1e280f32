// SPDX-License-Identifier: GPL-2.0-only
// What more than one reader or writer of erofs images needs of the format on
// disk. Source: fs/erofs/erofs_fs.h of the kernel, include/erofs_fs.h of
// erofs-utils 1.9.
#pragma once

#include <cstddef>
#include <cstdint>

namespace erofs_share {

/// Where the superblock is in an image, and its bytes.
inline constexpr std::size_t kSuperOffset = 1024;
inline constexpr std::size_t kSuperSize = 128;

/// Offsets within the superblock.
inline constexpr std::size_t kSuperChecksum = 4;
inline constexpr std::size_t kSuperCompat = 8;
inline constexpr std::size_t kSuperBlockBits = 12;
inline constexpr std::size_t kSuperPrefixCount = 91;
inline constexpr std::size_t kSuperFingerprintPrefix = 105;

/// Compatible features: the table of attribute name prefixes lies in the
/// metadata area; the image has fingerprints.
inline constexpr std::uint64_t kCompatPlainPrefixes = 0x10;
inline constexpr std::uint64_t kCompatFingerprints = 0x20;

/// Bytes from an inode number to the next, and of a directory's entry.
inline constexpr std::size_t kInodeSlot = 32;
inline constexpr std::size_t kDirent = 12;

} // namespace erofs_share
