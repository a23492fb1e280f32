// SPDX-License-Identifier: GPL-2.0-only
// Seeded, reproducible file content. The host makes the trees of the test
// images from it, and the guest compares what it reads with it, so that no
// copy of the source has to travel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace erofs_share {

/// What the bytes of a generated file are like.
enum class Content {
	kRandom, ///< does not compress
	kText,	 ///< compresses to about a sixth
};

/// Bytes [from, to) of a file.
struct ByteRange {
	std::uint64_t from = 0;
	std::uint64_t to = 0;
};

/// One regular file of a generated tree.
struct FileSpec {
	std::string path; ///< relative to the tree
	std::uint64_t size = 0;
	std::uint64_t seed = 0; ///< equal seed, size, content: equal bytes
	Content content = Content::kRandom;
	/// Value of the file's ready-made fingerprint attribute, for images
	/// whose fingerprints mkfs.erofs must not compute.
	std::optional<std::string> fingerprint = std::nullopt;
	/// Holes of a sparse file: never written, they read as zeroes. In
	/// ascending order, apart from each other, at multiples of 4096; only
	/// the last may end elsewhere, with the file.
	std::vector<ByteRange> holes = {};
	/// Value of an attribute that mkfs.erofs writes before the fingerprint.
	std::optional<std::string> before_fingerprint = std::nullopt;

	/// What is between the holes, in ascending order.
	[[nodiscard]] std::vector<ByteRange> data() const;
};

/// A generated tree: the files of one or more images.
struct Tree {
	std::string name;
	std::vector<FileSpec> files;

	/// The file at @path; throws std::out_of_range when there is none.
	[[nodiscard]] const FileSpec &file(std::string_view path) const;
};

/// Name of the attribute that carries FileSpec::fingerprint.
inline constexpr const char *kFingerprintAttribute = "user.fingerprint";
/// Name of that with FileSpec::before_fingerprint: mkfs.erofs sorts them.
inline constexpr const char *kEarlierAttribute = "user.another";

/// Names of all trees that can be made.
std::vector<std::string> tree_names();

/// The tree called @name; throws std::out_of_range, naming the known ones.
const Tree &find_tree(std::string_view name);

/// Writes the bytes of @file from @offset on into @buffer.
void fill_content(const FileSpec &file, std::uint64_t offset,
		  std::span<std::byte> buffer);

/// Makes all files of @tree below @directory, which must exist. Throws, also
/// when the file system there does not keep a hole.
void make_tree(const Tree &tree, const std::string &directory);

/// Where and how the file at @path differs from @file in [@from, @to), both in
/// bytes: "" if it does not. A wrong length is a difference when the range
/// reaches to the end. Throws when the file cannot be read.
std::string difference(const std::string &path, const FileSpec &file,
		       std::uint64_t from = 0, std::uint64_t to = UINT64_MAX);

/// The same for bytes already in memory, which are @file from offset @from on.
std::string difference(std::span<const std::byte> bytes, const FileSpec &file,
		       std::uint64_t from = 0);

} // namespace erofs_share
