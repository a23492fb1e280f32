// SPDX-License-Identifier: GPL-2.0-only
// What more than one reader or writer of erofs images needs of the format on
// disk. Source: fs/erofs/erofs_fs.h of the kernel, include/erofs_fs.h of
// erofs-utils 1.9.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

namespace erofs_share {

/// Where the superblock is in an image, and its bytes.
inline constexpr std::size_t kSuperOffset = 1024;
inline constexpr std::size_t kSuperSize = 128;

/// Offsets within the superblock.
inline constexpr std::size_t kSuperChecksum = 4;
inline constexpr std::size_t kSuperCompat = 8;
inline constexpr std::size_t kSuperBlockBits = 12;
inline constexpr std::size_t kSuperRootNid = 14;
inline constexpr std::size_t kSuperMetaBlock = 40;
inline constexpr std::size_t kSuperXattrBlock = 44;
inline constexpr std::size_t kSuperPrefixCount = 91;
inline constexpr std::size_t kSuperFingerprintPrefix = 105;

/// Compatible features: the table of attribute name prefixes lies in the
/// metadata area; the image has fingerprints.
inline constexpr std::uint64_t kCompatPlainPrefixes = 0x10;
inline constexpr std::uint64_t kCompatFingerprints = 0x20;

/// Bytes from an inode number to the next, and of a directory's entry.
inline constexpr std::size_t kInodeSlot = 32;
inline constexpr std::size_t kDirent = 12;

/// Bytes of an inode of the long form, of the header of its attributes, and of
/// an attribute's.
inline constexpr std::size_t kExtendedInode = 64;
inline constexpr std::size_t kXattrHeader = 12;
inline constexpr std::size_t kXattrEntry = 4;
/// Set in the index of an attribute's name when it begins with a long prefix.
inline constexpr std::uint8_t kLongPrefix = 0x80;

/// Where an inode's data is.
inline constexpr std::uint8_t kFlatPlain = 0;
inline constexpr std::uint8_t kFlatInline = 2;
inline constexpr std::uint8_t kChunks = 4;
/// Of the format of chunks: their size beyond a block's, as a power of two.
inline constexpr std::uint64_t kChunkBits = 0x1f;

/// The number of @width bytes at @offset of @from, the least byte first. Throws
/// std::out_of_range.
inline std::uint64_t number(std::span<const std::byte> from, std::size_t offset,
			    std::size_t width)
{
	std::uint64_t value = 0;

	if (offset > from.size() || width > from.size() - offset)
		throw std::out_of_range("a number behind the end");
	for (std::size_t i = width; i-- > 0;)
		value = value << 8 |
			std::to_integer<std::uint64_t>(from[offset + i]);
	return value;
}

inline std::uint64_t number(const std::string &from, std::size_t offset,
			    std::size_t width)
{
	return number(std::as_bytes(std::span(from)), offset, width);
}

/// @value, or the next one that four divides, as attributes are laid out.
constexpr std::size_t align4(std::size_t value)
{
	return (value + 3) & ~std::size_t{3};
}

} // namespace erofs_share
