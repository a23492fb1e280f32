// SPDX-License-Identifier: GPL-2.0-only
// Small erofs images made from nothing, entry by entry, for what mkfs.erofs
// does not write: attributes in any form, shared or not, counts that lie, any
// table of name prefixes. Files are uncompressed and lie in whole blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// An attribute as it stands in an image.
struct RawAttribute {
	/// Number of the namespace, or 0x80 and the index of a long prefix.
	std::uint8_t index = 0;
	std::string name; ///< behind the namespace, or behind the prefix
	std::string value;
};

/// A long attribute name prefix.
struct RawPrefix {
	std::uint8_t base = 0; ///< number of the namespace
	std::string infix;
};

/// A file of the root directory.
struct RawFile {
	std::string name;
	std::string data;
	std::vector<RawAttribute> attributes; ///< inline, in this order
	/// References to attributes of RawImage::shared, in this order. One
	/// that is none of them lies behind the image.
	std::vector<std::size_t> shared;
	/// h_shared_count, where it is not the number of references.
	std::optional<std::uint8_t> shared_count;
	/// Bytes that the attributes' area lacks at its end.
	std::size_t cut = 0;
	/// An area without an attribute, which is else not there.
	bool bare_header = false;
	std::uint32_t name_filter = 0;
};

/// All of an image.
struct RawImage {
	std::vector<RawPrefix> prefixes;
	/// Which of them is that of the fingerprints.
	std::uint8_t fingerprint_prefix = 0;
	std::vector<RawAttribute> shared;
	/// Whether the image declares that its inodes have name filters.
	bool name_filters = false;
	std::vector<RawFile> files; ///< in ascending order of names
	std::size_t block_size = 4096;
};

/// Bytes from the start of a file's inode, which is that of a block, to its
/// first inline attribute, if it refers to no shared one.
inline constexpr std::size_t kFirstAttribute = 32 + 12;
/// Bytes of an attribute before its name.
inline constexpr std::size_t kAttributeHeader = 4;

/// The bytes of @image. Throws std::length_error if a part does not fit where
/// the format has it.
std::string build_image(const RawImage &image);

} // namespace erofs_share
