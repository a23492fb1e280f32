// SPDX-License-Identifier: GPL-2.0-only
// One cluster, one meaning: an image in which two extents take one physical
// cluster for different things. erofs finds clusters by address alone, so what
// was read first decides what the other one reads. On a mount that shares, each
// extent reads what it reads alone, or fails; without sharing, all is as with
// the stock module.
#include "base/error.h"
#include "content/image_map.h"
#include "support/case_image.h"
#include "support/fixture.h"

#include <algorithm>
#include <random>
#include <system_error>

namespace erofs_share {

namespace {

using testing::AnyOf;
using testing::IsEmpty;

constexpr std::size_t kBlock = 4096;
constexpr const char *kPatched = "/run/conflict.erofs";
constexpr std::size_t kSuperBlocks = 36;

// Index entries' types and flags, as the kernel names them.
constexpr std::uint16_t kPlain = 0;	   // Z_EROFS_LCLUSTER_TYPE_PLAIN
constexpr std::uint16_t kHead = 1;	   // ..._HEAD1
constexpr std::uint16_t kNonhead = 2;	   // ..._NONHEAD
constexpr std::uint32_t kCount = 1U << 11; // Z_EROFS_LI_D0_CBLKCNT
// h_advise
constexpr std::uint16_t kBig = 0x2;
constexpr std::uint16_t kInterlaced = 0x10;

void put(std::vector<std::byte> &image, std::size_t offset, std::uint64_t value,
	 std::size_t width)
{
	for (std::size_t i = 0; i < width; i++, value >>= 8)
		image.at(offset + i) = static_cast<std::byte>(value & 0xff);
}

/// What continues a length in an LZ4 stream.
std::string more(std::size_t length)
{
	std::string bytes;

	for (; length >= 255; length -= 255)
		bytes += '\xff';
	return bytes + static_cast<char>(length);
}

std::string letters(std::size_t count, unsigned int seed)
{
	std::minstd_rand random(seed);
	std::string text(count, ' ');

	for (char &letter : text)
		letter = static_cast<char>('a' + random() % 16);
	return text;
}

std::string offset_of_2048()
{
	return {"\x00\x08", 2};
}

/// An LZ4 stream of 2048 literals and a match of them of @match bytes, then 48
/// literals, with which it may end or go on with a long match.
std::string stream(std::size_t match)
{
	return '\xff' + more(2048 - 15) + letters(2048, 1) + offset_of_2048() +
	       more(match - 4 - 15) + '\xff' + more(48 - 15) + letters(48, 2);
}

/// A block that ends with @data, zeroes before it.
std::string padded(const std::string &data)
{
	return std::string(kBlock - data.size(), '\0') + data;
}

/// Goes on with a stream that ended with 48 literals: fills a block exactly,
/// and gives another 4096 bytes.
std::string rest_of_stream()
{
	for (std::size_t literals = 4000; literals < kBlock; literals++) {
		std::string rest = offset_of_2048() +
				   more(kBlock - literals - 4 - 15) + '\xf0' +
				   more(literals - 15) + letters(literals, 3);

		if (rest.size() == kBlock)
			return rest;
	}
	throw_error(EINVAL, "no LZ4 stream of one block");
}

/// An entry of a file's index.
struct Entry {
	std::uint16_t type = kPlain;
	std::uint16_t offset = 0;
	/// Which of the blocks that the test adds, or distances.
	std::uint32_t value = 0;
};

/// A file's new size, flags and index.
struct Rewrite {
	std::uint32_t size = 2 * kBlock;
	std::uint16_t advise = 0;
	std::vector<Entry> index;
};

/// A part of a file.
struct Extent {
	const char *file;
	std::uint64_t from;
	std::uint64_t to;
};

struct Conflict {
	const char *name;
	std::vector<std::string> blocks; ///< added behind the image
	Rewrite a;
	Rewrite z;
	Extent one; ///< the two that conflict
	Extent other;
};

void PrintTo(const Conflict &conflict, std::ostream *out)
{
	*out << conflict.name;
}

std::vector<Conflict> conflicts()
{
	// 4096 bytes of one block; 4096 of its own.
	const std::string lz4 = padded(stream(2000));
	const std::string own = letters(kBlock, 4);
	const Rewrite honest = {2 * kBlock, 0, {{kHead, 0, 0}, {kPlain, 0, 1}}};

	return {
		{"algorithm",
		 {lz4, own},
		 honest,
		 {2 * kBlock, 0, {{kPlain, 0, 0}, {kPlain, 0, 1}}},
		 {"a", 0, kBlock},
		 {"z", 0, kBlock}},
		{"algorithm_within_a_file",
		 {lz4, own},
		 {2 * kBlock, 0, {{kHead, 0, 0}, {kPlain, 0, 0}}},
		 honest,
		 {"a", 0, kBlock},
		 {"a", kBlock, 2 * kBlock}},
		{"length",
		 {lz4, rest_of_stream()},
		 {kBlock, 0, {{kHead, 0, 0}, {kPlain, 0, 1}}},
		 {2 * kBlock, kBig, {{kHead, 0, 0}, {kNonhead, 0, kCount | 2}}},
		 {"a", 0, kBlock},
		 {"z", 0, 2 * kBlock}},
		// Behind extents that go on into their second entry.
		{"interlaced_offset",
		 {own, padded(stream(kBlock + 512 - 2048 - 48)),
		  padded(stream(kBlock + 1024 - 2048 - 48))},
		 {2 * kBlock, kInterlaced, {{kHead, 0, 1}, {kPlain, 512, 0}}},
		 {2 * kBlock, kInterlaced, {{kHead, 0, 2}, {kPlain, 1024, 0}}},
		 {"a", kBlock, 2 * kBlock},
		 {"z", kBlock, 2 * kBlock}},
	};
}

/// The image with two compressed files, rewritten.
class Rewriter {
      public:
	explicit Rewriter(const Conflict &conflict)
	    : image_(file_bytes(case_file("clusters"))),
	      first_block_(image_.size() / kBlock)
	{
		find_files();
		rewrite(0, conflict.a);
		rewrite(1, conflict.z);
		for (const std::string &block : conflict.blocks) {
			const auto bytes = std::as_bytes(std::span(block));

			image_.insert(image_.end(), bytes.begin(), bytes.end());
		}
		put(image_, 1024 + kSuperBlocks, image_.size() / kBlock, 4);
		write_patched(kPatched, std::move(image_));
	}

      private:
	/// Where what is rewritten of a file lies.
	struct Place {
		std::size_t size = 0;
		std::size_t advise = 0;
		std::vector<std::size_t> index;
	};

	/// Files' fields come in the order of the directory: first a, then z.
	void find_files()
	{
		std::size_t size = 0;

		for (const Field &field : map_image(image_)) {
			const std::string name = field.name;

			if (name == "i_size") {
				size = field.offset;
			} else if (name == "h_advise") {
				places_.push_back({size, field.offset, {}});
			} else if (name == "di_advise") {
				places_.back().index.push_back(field.offset);
			}
		}
		if (places_.size() != 2 || places_[0].index.size() != 2 ||
		    places_[1].index.size() != 2)
			throw_error(EINVAL, "index of the image clusters");
	}

	void rewrite(std::size_t which, const Rewrite &rewrite)
	{
		const Place &place = places_[which];

		put(image_, place.size, rewrite.size, 4);
		put(image_, place.advise, rewrite.advise, 2);
		for (std::size_t i = 0; i < rewrite.index.size(); i++) {
			const Entry &entry = rewrite.index[i];

			put(image_, place.index[i], entry.type, 2);
			put(image_, place.index[i] + 2, entry.offset, 2);
			put(image_, place.index[i] + 4,
			    entry.type == kNonhead ? entry.value
						   : first_block_ + entry.value,
			    4);
		}
	}

	std::vector<std::byte> image_;
	std::size_t first_block_;
	std::vector<Place> places_;
};

/// What reading @extent below @root gives: its bytes, or the error.
std::string outcome(const Mount &mount, const Extent &extent)
{
	try {
		const std::vector<std::byte> bytes = read_range(
			mount.at(extent.file), extent.from, extent.to);

		return {reinterpret_cast<const char *>(bytes.data()),
			bytes.size()};
	} catch (const std::system_error &error) {
		return "error: " + error.code().message();
	}
}

/// A few words for an outcome, the same for equal ones.
std::string summary(const std::string &outcome)
{
	return outcome.starts_with("error: ")
		       ? outcome
		       : std::to_string(outcome.size()) + " bytes, " +
				 std::to_string(
					 std::hash<std::string>()(outcome));
}

class ClusterConflict : public ErofsTest,
			public testing::WithParamInterface<Conflict> {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		need({"4k-lz4"});
		if (!IsSkipped())
			const Rewriter rewriter(GetParam());
	}

	static Mount mount(const MountOptions &options)
	{
		return mount_case(kPatched, options);
	}
	static MountOptions sharing()
	{
		return MountOptions::sharing(DomainId::random());
	}
	static std::string alone(const Extent &extent,
				 const MountOptions &options)
	{
		const Mount fresh = mount(options);

		return outcome(fresh, extent);
	}
	static std::string corrupted()
	{
		return "error: " + std::generic_category().message(EUCLEAN);
	}

	/// Reads @first, then @second.
	static void expect_own_bytes(const Extent &first, const Extent &second)
	{
		const std::string one = alone(first, sharing());
		const std::string other = alone(second, sharing());
		const Mount shared = mount(sharing());

		// Else there would be nothing to tell apart.
		ASSERT_NE(one, other);
		ASSERT_FALSE(one.starts_with("error: ")) << one;
		ASSERT_FALSE(other.starts_with("error: ")) << other;
		EXPECT_EQ(summary(outcome(shared, first)), summary(one));
		EXPECT_THAT(summary(outcome(shared, second)),
			    AnyOf(summary(other), corrupted()));
	}
};

TEST_P(ClusterConflict, IsNoOthersBytesOnAMountThatShares)
{
	if (!no_inode_share().empty())
		GTEST_SKIP() << no_inode_share();
	{
		SCOPED_TRACE("in order");
		expect_own_bytes(GetParam().one, GetParam().other);
	}
	SCOPED_TRACE("the other way round");
	expect_own_bytes(GetParam().other, GetParam().one);
}

TEST_P(ClusterConflict, WithoutSharingIsWhatTheStockModuleMakesOfIt)
{
	const Extent &one = GetParam().one;
	const Extent &other = GetParam().other;

	for (const bool swapped : {false, true}) {
		const Mount plain = mount({});
		const Extent &first = swapped ? other : one;
		const Extent &second = swapped ? one : other;
		const std::string order = swapped ? "_swapped" : "";

		EXPECT_EQ(summary(outcome(plain, first)),
			  summary(alone(first, {})));
		RecordProperty("observed_second" + order,
			       summary(outcome(plain, second)));
	}
}

INSTANTIATE_TEST_SUITE_P(Kinds, ClusterConflict, testing::ValuesIn(conflicts()),
			 [](const auto &info) {
				 return std::string(info.param.name);
			 });

/// Images whose clusters belong to several files, as they should.
class DeduplicatedImage : public ShareTest,
			  public testing::WithParamInterface<const char *> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({GetParam()});
	}
};

TEST_P(DeduplicatedImage, ReadsRightInAnyOrder)
{
	const Tree &tree = find_tree("facets");
	Tree reversed = tree;

	std::reverse(reversed.files.begin(), reversed.files.end());
	for (const Tree *order :
	     {&tree, static_cast<const Tree *>(&reversed)}) {
		const Mount mount = mount_shared(GetParam());

		EXPECT_THAT(wrong_files(mount.path(), *order), IsEmpty());
		drop_caches(Drop::kPages);
		// Again, by what the compressed cache has kept.
		EXPECT_THAT(wrong_files(mount.path(), *order), IsEmpty());
	}
}

TEST_P(DeduplicatedImage, ReadsRightPageByPageFromTheEnd)
{
	const Mount mount = mount_shared(GetParam());

	for (const FileSpec &file : find_tree("facets").files)
		for (std::uint64_t page = total_pages(mount.at(file.path));
		     page-- > 0;) {
			const std::uint64_t from = page * kBlock;

			EXPECT_EQ(difference(read_range(mount.at(file.path),
							from, from + kBlock),
					     file, from),
				  "");
		}
}

INSTANTIATE_TEST_SUITE_P(Images, DeduplicatedImage,
			 testing::Values("4k-dedupe", "4k-dedupe-lzma",
					 "4k-fragments", "hidden-packed"),
			 [](const auto &info) {
				 return parameter_name(info.param);
			 });

} // namespace

} // namespace erofs_share
