// SPDX-License-Identifier: GPL-2.0-only
// A file of 2 GiB and a byte: right bytes and one copy at the offsets where a
// length, an offset or a page number overflows. Only these are read.
#include "base/mapped_file.h"
#include "support/fixture.h"
#include "support/image_list.h"

#include <algorithm>
#include <sys/mman.h>
#include <tuple>

namespace erofs_share {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kEnd = (1ULL << 31) + 1;

/// Page aligned at the front, so that they have as many pages as it seems.
const std::vector<ByteRange> &interesting()
{
	static const std::vector<ByteRange> kRanges = {
		{0, kPage},			      // the first page
		{kEnd / 4, kEnd / 4 + kPage},	      // inside a hole
		{kEnd / 2 - kPage, kEnd / 2 + kPage}, // 1 GiB in the middle
		{kEnd - 1 - 2 * kPage, kEnd - 1},     // before 2 GiB
		{kEnd - 1, kEnd},		      // the last byte
	};

	return kRanges;
}

constexpr std::uint64_t kInterestingPages = 1 + 1 + 2 + 2 + 1;

enum class How { kRead, kMap };

/// The first difference of @path to @file in the interesting ranges, read as
/// @how says without readahead; "" if there is none.
std::string interesting_difference(const std::string &path,
				   const FileSpec &file, How how)
{
	std::optional<MappedFile> map;

	if (how == How::kMap) {
		map.emplace(path, MAP_SHARED);
		map->advise(MADV_RANDOM);
	}
	for (const auto &[from, to] : interesting()) {
		std::string found =
			map ? difference(map->bytes().subspan(from, to - from),
					 file, from)
			    : difference(read_range(path, from, to), file,
					 from);

		if (!found.empty())
			return found;
	}
	return "";
}

const FileSpec &huge()
{
	return find_tree("huge").file("huge");
}

/// Whether pages come into the cache one by one, not by the extent.
bool by_page(const std::string &image)
{
	return image != "huge-lz4";
}

using HugeParameter = std::tuple<std::string, Via, How>;

std::string huge_name(const testing::TestParamInfo<HugeParameter> &info)
{
	const auto &[name, via, how] = info.param;

	return parameter_name(name + "_as_" + via_name(via) +
			      (how == How::kRead ? "_read" : "_mapped"));
}

const auto kEveryHuge =
	testing::Combine(testing::ValuesIn(huge_images()),
			 testing::Values(Via::kDisk, Via::kLoop, Via::kFile),
			 testing::Values(How::kRead, How::kMap));

class HugeFile : public ErofsTest,
		 public testing::WithParamInterface<HugeParameter> {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		need({std::get<0>(GetParam())}, std::get<1>(GetParam()));
	}
};

TEST_P(HugeFile, IsRightAtEveryLimitWithoutSharing)
{
	const auto &[name, via, how] = GetParam();
	const Mount mount = mount_image(images().find(name), via);

	EXPECT_EQ(interesting_difference(mount.at("huge"), huge(), how), "");
}

INSTANTIATE_TEST_SUITE_P(Images, HugeFile, kEveryHuge, huge_name);

class SharedHugeFile : public ShareTest,
		       public testing::WithParamInterface<HugeParameter> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({std::get<0>(GetParam())}, std::get<1>(GetParam()));
	}
};

TEST_P(SharedHugeFile, IsRightAtEveryLimitAndEndsThere)
{
	const auto &[name, via, how] = GetParam();
	const Mount mount = mount_shared(name, via);
	const std::string path = mount.at("huge");

	EXPECT_EQ(interesting_difference(path, huge(), how), "");
	EXPECT_EQ(difference(path, huge(), kEnd - 1), "");
}

INSTANTIATE_TEST_SUITE_P(Images, SharedHugeFile, kEveryHuge, huge_name);

/// The image that is read first, the one that is read then, and how.
using HugePairParameter = std::tuple<std::string, std::string, How>;

class HugePair : public ShareTest,
		 public testing::WithParamInterface<HugePairParameter> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({std::get<0>(GetParam()), std::get<1>(GetParam())});
	}
};

TEST_P(HugePair, PagesReadThroughOneAreResidentInTheOtherAndNoMore)
{
	const auto &[first, second, how] = GetParam();
	const Mount a = mount_shared(first);
	const Mount b = mount_shared(second);
	const std::string path = b.at("huge");

	EXPECT_EQ(resident_pages(path), 0U);
	EXPECT_EQ(interesting_difference(a.at("huge"), huge(), how), "");
	for (const auto &[from, to] : interesting())
		EXPECT_EQ(resident_pages(path, from, to),
			  (to - from + kPage - 1) / kPage)
			<< "from " << from;
	if (by_page(first)) {
		EXPECT_EQ(resident_pages(path), kInterestingPages);
	} else {
		EXPECT_LT(resident_pages(path), kEnd / kPage / 4);
	}
	EXPECT_EQ(interesting_difference(path, huge(), how), "");
}

TEST_P(HugePair, PagesReadThroughEachInTurnAreRight)
{
	const auto &[first, second, how] = GetParam();
	const Mount a = mount_shared(first);
	const Mount b = mount_shared(second);

	// Around each limit one page comes from each image.
	for (const auto &[from, to] : huge().data()) {
		bool swap = false;

		for (std::uint64_t at = from; at < to; at += kPage) {
			const Mount &mount = swap ? b : a;
			const std::uint64_t end = std::min(at + kPage, to);

			EXPECT_EQ(difference(
					  read_range(mount.at("huge"), at, end),
					  huge(), at),
				  "");
			swap = !swap;
		}
	}
	EXPECT_EQ(interesting_difference(a.at("huge"), huge(), how), "");
	EXPECT_EQ(interesting_difference(b.at("huge"), huge(), how), "");
}

std::string pair_name(const testing::TestParamInfo<HugePairParameter> &info)
{
	const auto &[first, second, how] = info.param;

	return parameter_name(first + "_then_" + second +
			      (how == How::kRead ? "_read" : "_mapped"));
}

INSTANTIATE_TEST_SUITE_P(Pairs, HugePair,
			 testing::Combine(testing::ValuesIn(huge_images()),
					  testing::ValuesIn(huge_images()),
					  testing::Values(How::kRead,
							  How::kMap)),
			 pair_name);

} // namespace
} // namespace erofs_share
