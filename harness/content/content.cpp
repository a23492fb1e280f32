// SPDX-License-Identifier: GPL-2.0-only
// Seeded file content, and the trees that the test images are made of.
#include "content/content.h"

#include "base/error.h"
#include "base/fd.h"
#include "content/attributes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>

namespace erofs_share {

namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::size_t kWord = 8;
/// Bytes made from one state of the generator, so that any offset is cheap.
constexpr std::uint64_t kBlock = 4096;

/// The finalizer of splitmix64: one well-mixed word for each input.
constexpr std::uint64_t mix(std::uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/// The 64 words that text consists of.
constexpr auto kVocabulary = [] {
	std::array<std::uint64_t, 64> words{};

	for (std::size_t i = 0; i < words.size(); i++) {
		std::uint64_t bits = mix(i);
		std::uint64_t word = ' ';

		for (int letter = 0; letter < 7; letter++, bits >>= 8)
			word = word << 8 | ('a' + (bits & 0xff) % 26);
		words[i] = word;
	}
	return words;
}();

/// Whether @offset of @file lies in a hole. Holes cover blocks whole.
bool in_hole(const FileSpec &file, std::uint64_t offset)
{
	const auto after =
		std::upper_bound(file.holes.begin(), file.holes.end(), offset,
				 [](std::uint64_t at, const ByteRange &hole) {
					 return at < hole.to;
				 });

	return after != file.holes.end() && offset >= after->from;
}

/// One whole block of a file's content.
void fill_block(const FileSpec &file, std::uint64_t block,
		std::array<std::byte, kBlock> &bytes)
{
	std::uint64_t state = mix(file.seed ^ mix(block));

	if (in_hole(file, block * kBlock)) {
		bytes.fill(std::byte{0});
		return;
	}

	for (std::size_t at = 0; at < kBlock; at += kWord) {
		// xorshift64: cheap enough for an emulated guest
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		const std::uint64_t word = file.content == Content::kText
						   ? kVocabulary[state >> 58]
						   : state;
		std::memcpy(bytes.data() + at, &word, kWord);
	}
}

std::string first_difference(std::span<const std::byte> got,
			     std::span<const std::byte> wanted,
			     std::uint64_t offset, const std::string &name)
{
	if (std::memcmp(got.data(), wanted.data(), got.size()) == 0)
		return "";
	const auto at = std::mismatch(got.begin(), got.end(), wanted.begin());
	return name + " differs at byte " +
	       std::to_string(offset + static_cast<std::uint64_t>(
					       at.first - got.begin())) +
	       ": read " + std::to_string(std::to_integer<int>(*at.first)) +
	       ", expected " + std::to_string(std::to_integer<int>(*at.second));
}

/// Sizes at and around the limits that page, block and tail handling know.
void add_sizes(Tree &tree, const std::string &directory, std::uint64_t seed)
{
	static constexpr std::array<std::uint64_t, 11> kSizes = {
		1,    63,    511,   4095,      4096,	      4097,
		8192, 12345, 65535, 65536 + 5, 300 * 1000 + 1};

	for (const std::uint64_t size : kSizes) {
		const std::string stem = directory + "/" + std::to_string(size);

		tree.files.push_back({stem + ".random", size, seed ^ size,
				      Content::kRandom});
		tree.files.push_back(
			{stem + ".text", size, seed ^ size, Content::kText});
	}
}

/// Half of a pair of images: a big duplicate and what only one of them has.
Tree make_pair_half(const std::string &name, std::uint64_t own, Content big)
{
	Tree tree{.name = name, .files = {}};

	tree.files.push_back({"dup64m", 64 * kMiB, 64, big});
	tree.files.push_back({"only-" + name, 2 * kMiB + 77, own, big});
	// One name, one size, other bytes in each image.
	tree.files.push_back(
		{"same-name", kMiB + 1, own ^ 0x5a5a, Content::kRandom});
	add_sizes(tree, "small", 7);
	return tree;
}

/// As many small files as a real image has in a directory, and a large one.
Tree make_many()
{
	Tree tree{.name = "many", .files = {}};

	for (std::uint64_t i = 0; i < 200; i++)
		tree.files.push_back({"small/" + std::to_string(i),
				      100 + 37 * i, 1000 + i, Content::kText});
	tree.files.push_back({"large", 24 * kMiB, 24, Content::kRandom});
	return tree;
}

/// A few MB in all, for images in many encodings.
Tree make_mix()
{
	Tree tree{.name = "mix", .files = {}};

	add_sizes(tree, "sizes", 3);
	tree.files.push_back({"deep/er/text1m", kMiB + 17, 5, Content::kText});
	tree.files.push_back(
		{"deep/er/random1m", kMiB + 4093, 6, Content::kRandom});
	// Two files of one image with the same content.
	tree.files.push_back({"twin1", 200001, 8, Content::kText});
	tree.files.push_back({"twin2", 200001, 8, Content::kText});
	tree.files.push_back({"empty", 0, 0, Content::kRandom});
	return tree;
}

/// The file at @path, which has @data and else holes.
FileSpec make_sparse(const std::string &path, std::uint64_t size,
		     std::uint64_t seed, const std::vector<ByteRange> &data)
{
	FileSpec file{path, size, seed, Content::kText};
	std::uint64_t at = 0;

	for (const ByteRange &range : data) {
		if (range.from > at)
			file.holes.push_back({at, range.from});
		at = range.to;
	}
	if (size > at)
		file.holes.push_back({at, size});
	return file;
}

/// A megabyte of data with something for every facet of every layout, small
/// because every pair of layouts reads it: sizes around block, page and chunk
/// limits, tails that fit into the inode's block and such that do not, holes of
/// a block and of a chunk, data that compresses and that does not, equal parts
/// in different files.
Tree make_facets()
{
	static constexpr std::array<std::uint64_t, 18> kSizes = {
		1,    511,  512,  513,	1023, 1025,  2047,  2049,  4000,
		4095, 4096, 4097, 8191, 8193, 16384, 65535, 65536, 65537};
	Tree tree{.name = "facets", .files = {}};

	for (const std::uint64_t size : kSizes)
		tree.files.push_back(
			{"sizes/" + std::to_string(size), size, size,
			 size % 2 == 0 ? Content::kText : Content::kRandom});
	tree.files.push_back({"text", 200017, 31, Content::kText});
	tree.files.push_back({"random", 100001, 32, Content::kRandom});
	// Starts like text, so that its parts can be deduplicated.
	tree.files.push_back({"text-start", 100001, 31, Content::kText});
	tree.files.push_back({"twin1", 40001, 33, Content::kText});
	tree.files.push_back({"twin2", 40001, 33, Content::kText});
	tree.files.push_back({"empty", 0, 0, Content::kRandom});

	tree.files.push_back(make_sparse("holes/only", 20001, 34, {}));
	tree.files.push_back(make_sparse("holes/first", 10 * kBlock + 1, 35,
					 {{2 * kBlock, 10 * kBlock + 1}}));
	tree.files.push_back(
		make_sparse("holes/last", 50000, 36, {{0, 2 * kBlock}}));
	tree.files.push_back(make_sparse("holes/blocks", 20 * kBlock + 5, 37,
					 {{1 * kBlock, 2 * kBlock},
					  {3 * kBlock, 6 * kBlock},
					  {16 * kBlock, 17 * kBlock},
					  {20 * kBlock, 20 * kBlock + 5}}));
	// A hole that takes a whole chunk, unless chunks are of 1 MiB.
	tree.files.push_back(
		make_sparse("holes/chunk", 33 * kBlock + 1, 38,
			    {{0, kBlock}, {32 * kBlock, 33 * kBlock + 1}}));
	return tree;
}

/// A file longer than 2 GiB, with data where lengths and offsets overflow and
/// holes of many chunks of any size.
Tree make_huge()
{
	constexpr std::uint64_t kLimit = 1ULL << 31;
	Tree tree{.name = "huge", .files = {}};

	tree.files.push_back(
		make_sparse("huge", kLimit + 1, 41,
			    {{0, 2 * kBlock},
			     {kLimit / 2 - kBlock, kLimit / 2 + 2 * kBlock},
			     {kLimit - 2 * kBlock, kLimit + 1}}));
	return tree;
}

/// A file as long as the image that scripts/images/test-images makes of it, with data
/// at both ends: one that claims to be that image must have its size.
Tree make_claimant()
{
	Tree tree{.name = "claimant", .files = {}};

	tree.files.push_back(
		make_sparse("claimant", 64 * kBlock, 43,
			    {{0, 2 * kBlock}, {63 * kBlock, 64 * kBlock}}));
	tree.files.push_back({"honest", 20001, 44, Content::kText});
	return tree;
}

/// Files whose fingerprints are not what mkfs.erofs would have written.
Tree make_hostile(const std::string &name, bool second)
{
	Tree tree{.name = name, .files = {}};
	const std::string good = "sha256:0123456789abcdef0123456789abcdef";
	const auto add = [&](const std::string &path, std::uint64_t size,
			     std::optional<std::string> fingerprint) {
		tree.files.push_back({path, size, 21, Content::kText,
				      std::move(fingerprint)});
	};

	add("good", 50000, good);
	add("missing", 50001, std::nullopt);
	add("empty-fingerprint", 50002, "");
	// Side by side in the image: at most one of them crosses a block's end.
	add("over-long", 50003, std::string(257, 'L'));
	add("over-long-too", 50003, std::string(257, 'M'));
	add("longest", 50004, std::string(256, 'l'));
	// Equal fingerprints, but the second image's file is a page longer.
	add("size-clash", second ? 54096 : 50000,
	    "sha256:size-clash-size-clash-size-clash");
	// Another attribute comes first: equal where the fingerprints are not,
	// and the other way round.
	add("equal-before", 50005, second ? "sha256:b" : "sha256:a");
	tree.files.back().before_fingerprint = good;
	add("differs-before", 50006, "sha256:c");
	tree.files.back().before_fingerprint = second ? "b" : "a";
	return tree;
}

/// Files of one size and of names that say how their fingerprints sort: see
/// fingerprint_cases.h.
Tree make_fingerprints()
{
	Tree tree{.name = "fingerprints", .files = {}};

	tree.files.push_back({"high", 20001, 73, Content::kText});
	tree.files.push_back({"low", 20001, 71, Content::kText});
	tree.files.push_back({"own", 20001, 72, Content::kText});
	return tree;
}

const std::vector<Tree> &all_trees()
{
	static const std::vector<Tree> kTrees = {
		make_pair_half("dup-a", 0xa, Content::kRandom),
		make_pair_half("dup-b", 0xb, Content::kRandom),
		make_pair_half("text-a", 0xa, Content::kText),
		make_pair_half("text-b", 0xb, Content::kText),
		make_many(),
		make_mix(),
		make_facets(),
		make_huge(),
		make_hostile("hostile-a", false),
		make_hostile("hostile-b", true),
		make_fingerprints(),
		// Made as an archive, see attributes.h.
		{.name = "attributes",
		 .files = {{"first", 5000, 51},
			   {"second", 5001, 52},
			   {"many", 5002, 53}}},
		{.name = "attr-user",
		 .files = {{"first", 5000, 51},
			   {"second", 5001, 52},
			   {"many", 5002, 53}}},
		// Made as an archive, see device_archive.h.
		{.name = "devices", .files = {{"file", 5003, 54}}},
		make_claimant(),
		// Not from seeds: scripts/images/test-images makes these of files
		// that are there already.
		{.name = "program", .files = {}},
		{.name = "nested", .files = {}},
		{.name = "claimed-a", .files = {}},
		{.name = "claimed-b", .files = {}},
	};

	return kTrees;
}

/// Throws if the file system of @fd, a new file, filled a hole of @file.
void check_holes(int fd, const FileSpec &file, const std::string &path)
{
	for (const ByteRange &hole : file.holes) {
		const off_t data =
			lseek(fd, static_cast<off_t>(hole.from), SEEK_DATA);

		if (data < 0 ? errno != ENXIO
			     : static_cast<std::uint64_t>(data) < hole.to)
			throw_error(EOPNOTSUPP,
				    "hole at " + std::to_string(hole.from) +
					    " of " + path);
	}
}

void make_file(const FileSpec &file, const std::string &path)
{
	const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	std::vector<std::byte> buffer(kMiB);

	for (const auto &[from, to] : file.data()) {
		if (lseek(fd.get(), static_cast<off_t>(from), SEEK_SET) < 0)
			throw_errno("seek " + path);
		for (std::uint64_t at = from; at < to;) {
			const std::span<std::byte> part =
				std::span(buffer).first(
					std::min<std::uint64_t>(to - at, kMiB));

			fill_content(file, at, part);
			write_all(fd.get(), part, path);
			at += part.size();
		}
	}
	if (ftruncate(fd.get(), static_cast<off_t>(file.size)) != 0)
		throw_errno("truncate " + path);
	check_holes(fd.get(), file, path);
	for (const auto &[attribute, value] :
	     {std::pair{kEarlierAttribute, &file.before_fingerprint},
	      std::pair{kFingerprintAttribute, &file.fingerprint}})
		if (*value && fsetxattr(fd.get(), attribute, (*value)->data(),
					(*value)->size(), 0) != 0)
			throw_errno("setxattr " + std::string(attribute) + " " +
				    path);
	// Images must come out the same on every run.
	const std::array<timespec, 2> times = {
		{{1700000000, 0}, {1700000000, 0}}};
	if (futimens(fd.get(), times.data()) != 0)
		throw_errno("futimens " + path);
}

} // namespace

std::vector<ByteRange> FileSpec::data() const
{
	std::vector<ByteRange> ranges;
	std::uint64_t at = 0;

	for (const ByteRange &hole : holes) {
		if (hole.from > at)
			ranges.push_back({at, hole.from});
		at = hole.to;
	}
	if (size > at)
		ranges.push_back({at, size});
	return ranges;
}

const FileSpec &Tree::file(std::string_view path) const
{
	const auto found = std::find_if(
		files.begin(), files.end(),
		[&](const FileSpec &file) { return file.path == path; });

	if (found == files.end())
		throw std::out_of_range("tree " + name + " has no file " +
					std::string(path));
	return *found;
}

std::vector<std::string> tree_names()
{
	std::vector<std::string> names;

	for (const Tree &tree : all_trees())
		names.push_back(tree.name);
	return names;
}

const Tree &find_tree(std::string_view name)
{
	std::string known;

	for (const Tree &tree : all_trees()) {
		if (tree.name == name)
			return tree;
		known += " " + tree.name;
	}
	throw std::out_of_range("no tree called " + std::string(name) +
				"; there are:" + known);
}

void fill_content(const FileSpec &file, std::uint64_t offset,
		  std::span<std::byte> buffer)
{
	std::array<std::byte, kBlock> block{};

	while (!buffer.empty()) {
		const std::uint64_t skip = offset % kBlock;
		const std::size_t part =
			std::min<std::uint64_t>(kBlock - skip, buffer.size());

		fill_block(file, offset / kBlock, block);
		std::memcpy(buffer.data(), block.data() + skip, part);
		buffer = buffer.subspan(part);
		offset += part;
	}
}

void make_tree(const Tree &tree, const std::string &directory)
{
	namespace fs = std::filesystem;

	for (const FileSpec &file : tree.files) {
		const fs::path path = fs::path(directory) / file.path;

		fs::create_directories(path.parent_path());
		make_file(file, path.string());
	}
	if (tree.name == kUserAttributeTree)
		set_user_attributes(directory);
}

std::string difference(std::span<const std::byte> bytes, const FileSpec &file,
		       std::uint64_t from)
{
	// One for all calls: clearing a new one each time would cost more than
	// comparing a small file.
	thread_local std::vector<std::byte> wanted(kMiB);

	while (!bytes.empty()) {
		const auto got =
			bytes.first(std::min(bytes.size(), wanted.size()));
		const auto expected = std::span(wanted).first(got.size());

		fill_content(file, from, expected);
		std::string found =
			first_difference(got, expected, from, file.path);
		if (!found.empty())
			return found;
		bytes = bytes.subspan(got.size());
		from += got.size();
	}
	return "";
}

std::string difference(const std::string &path, const FileSpec &file,
		       std::uint64_t from, std::uint64_t to)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	const std::uint64_t end = std::min(to, file.size);
	thread_local std::vector<std::byte> buffer(kMiB);

	while (from < end) {
		const auto part = std::span(buffer).first(
			std::min<std::uint64_t>(end - from, buffer.size()));
		const std::size_t got = read_at(fd.get(), part, from, path);
		std::string found = difference(part.first(got), file, from);

		if (!found.empty())
			return found;
		from += got;
		if (got < part.size())
			return path + " ends at byte " + std::to_string(from) +
			       " instead of " + std::to_string(file.size);
	}
	if (to >= file.size &&
	    read_at(fd.get(), std::span(buffer).first(1), file.size, path) != 0)
		return path + " is longer than " + std::to_string(file.size);
	return "";
}

} // namespace erofs_share
