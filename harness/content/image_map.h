// SPDX-License-Identifier: GPL-2.0-only
// Where the structures of a (sound) erofs image are: a list of fields, by kind
// of structure, for mutator.h to change. It reads only as much of the format as
// that takes, and never what a mutated image says.
//
// The format: fs/erofs/erofs_fs.h of Linux 6.12, include/erofs_fs.h of
// erofs-utils 1.9 for what newer images add.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace erofs_share {

/// What a field is a part of.
enum class Structure : std::uint8_t {
	kSuper,	      ///< the superblock
	kCompression, ///< configuration of a compression algorithm
	kDevice,      ///< a slot of the device table
	kPrefix,      ///< the table of long attribute name prefixes
	kInode,	      ///< an inode's header
	kXattrHeader, ///< header of an inode's inline attributes
	kSharedXattr, ///< reference to a shared attribute
	kXattrEntry,  ///< header of an attribute, its name or its value
	kFingerprint, ///< value of a fingerprint attribute
	kChunk,	      ///< block map or chunk index
	kMapHeader,   ///< header of a compressed file's index
	kIndex,	      ///< index of a compressed file, full or compact
	kTail,	      ///< data, or a link's target, behind an inode
	kDirent,      ///< directory entry or the names in a directory block
	kData,	      ///< any byte of the image
};

/// How many kinds there are.
inline constexpr std::size_t kStructures = 15;

/// Names of the kinds, in order.
inline constexpr std::array<const char *, kStructures> kStructureNames = {
	"superblock",	"compression",	"device",      "prefix",      "inode",
	"xattr-header", "shared-xattr", "xattr-entry", "fingerprint", "chunk",
	"map-header",	"index",	"tail",	       "dirent",      "data"};

/// A number or a string of bytes in an image.
struct Field {
	Structure structure = Structure::kData;
	const char *name = "";	///< as the kernel calls it
	std::size_t offset = 0; ///< in the image
	std::size_t width = 0;	///< bytes; 1, 2, 4 and 8 are numbers
};

/// The little-endian number in @width bytes of @image at @offset. Throws
/// std::out_of_range when they are not there.
std::uint64_t read_number(std::span<const std::byte> image, std::size_t offset,
			  std::size_t width);

/// All fields of @image, each once, in a fixed order. Throws std::exception
/// when it is no sound image.
std::vector<Field> map_image(std::span<const std::byte> image);

} // namespace erofs_share
