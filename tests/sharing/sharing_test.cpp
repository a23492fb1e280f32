// SPDX-License-Identifier: GPL-2.0-only
// Files of equal content, on images of one domain, have one copy in the page
// cache. Pairs of encodings and devices are in encoding_pair_test.cpp.
#include "os/loop_device.h"
#include "support/fixture.h"

namespace erofs_share {
namespace {

using testing::IsEmpty;

/// Two images that hold the 64 MB file dup64m.
class SharedPair : public ImagePair {};

TEST_P(SharedPair, FileReadThroughOneImageIsResidentInTheOther)
{
	const Mount a = mount_shared(GetParam().first);
	const Mount b = mount_shared(GetParam().second);

	EXPECT_EQ(resident_pages(b.at("dup64m")), 0U);
	read_through(a.at("dup64m"));
	EXPECT_EQ(resident_pages(a.at("dup64m")), kBigPages);
	EXPECT_EQ(resident_pages(b.at("dup64m")), kBigPages);
}

TEST_P(SharedPair, CachestatOfTheOtherImageCountsTheOneCopy)
{
	const Mount a = mount_shared(GetParam().first);
	const Mount b = mount_shared(GetParam().second);

	read_through(a.at("dup64m"));
	const auto counted = cachestat_pages(b.at("dup64m"));
	if (!counted) {
		GTEST_SKIP() << "this kernel has no cachestat(2)";
	}
	EXPECT_EQ(*counted, kBigPages);
}

TEST_P(SharedPair, ReadingTheDuplicateThroughTheOtherImageAddsNoPageCache)
{
	const Mount a = mount_shared(GetParam().first);
	const Mount b = mount_shared(GetParam().second);

	read_through(a.at("dup64m"));
	const auto before = static_cast<std::int64_t>(cached_bytes());
	read_through(b.at("dup64m"));
	const auto after = static_cast<std::int64_t>(cached_bytes());
	EXPECT_LT(after - before, kSlack);
}

TEST_P(SharedPair, FilesOfOneNameWithOtherContentAreNotShared)
{
	const Mount a = mount_shared(GetParam().first);
	const Mount b = mount_shared(GetParam().second);

	read_through(a.at("same-name"));
	EXPECT_EQ(resident_pages(b.at("same-name")), 0U);
}

INSTANTIATE_TEST_SUITE_P(Pairs, SharedPair,
			 testing::Values(std::pair{"dup-a", "dup-b"},
					 std::pair{"dup-b", "dup-a"},
					 std::pair{"text-a-lz4", "text-b-lz4"}),
			 [](const auto &info) {
				 return parameter_name(
					 std::string(info.param.first) +
					 "_then_" + info.param.second);
			 });

class Sharing : public ShareTest {};

TEST_F(Sharing, FilesOfOneImageWithEqualContentShareWithEachOther)
{
	const Mount a = mount_shared("enc-plain");

	read_through(a.at("twin1"));
	EXPECT_EQ(resident_pages(a.at("twin2")), total_pages(a.at("twin2")));
}

TEST_F(Sharing, OneImageMountedTwiceFromTwoDevicesSharesWithItself)
{
	const LoopDevice loop(images().find("enc-plain").file());
	const Mount disk = mount_shared("enc-plain");
	const Mount second = mount_erofs(loop.path(), sharing());
	const Tree &tree = *images().find("enc-plain").tree;

	read_tree(disk.path(), tree);
	EXPECT_THAT(not_resident(second.path(), tree), IsEmpty());
	EXPECT_THAT(wrong_files(second.path(), tree), IsEmpty());
}

TEST_F(Sharing, FileBackedMountSharesWhatABlockDeviceMountRead)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	const Mount disk = mount_shared("dup-a");
	const Mount file =
		mount_erofs(images().find("dup-b").file(), sharing());

	read_through(disk.at("dup64m"));
	EXPECT_EQ(resident_pages(file.at("dup64m")), kBigPages);
	EXPECT_EQ(difference(file.at("dup64m"),
			     find_tree("dup-b").file("dup64m")),
		  "");
}

TEST_F(Sharing, BlockDeviceMountSharesWhatAFileBackedMountRead)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	const Mount file =
		mount_erofs(images().find("dup-a").file(), sharing());
	const Mount disk = mount_shared("dup-b");

	read_through(file.at("dup64m"));
	EXPECT_EQ(resident_pages(disk.at("dup64m")), kBigPages);
	EXPECT_EQ(difference(disk.at("dup64m"),
			     find_tree("dup-b").file("dup64m")),
		  "");
}

TEST_F(Sharing, CompressedFileBackedMountSharesWithAPlainDisk)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	const Tree &tree = *images().find("enc-plain").tree;
	const Mount file =
		mount_erofs(images().find("enc-lz4").file(), sharing());
	const Mount disk = mount_shared("enc-plain");

	EXPECT_THAT(wrong_files(file.path(), tree), IsEmpty());
	EXPECT_THAT(not_resident(disk.path(), tree), IsEmpty());
	EXPECT_THAT(wrong_files(disk.path(), tree), IsEmpty());
}

TEST_F(Sharing, MountsThroughEveryInterfaceShare)
{
	const Mount a = mount_erofs(images().find("dup-a").disk(), sharing(),
				    MountApi::kMount);
	const Mount b = mount_erofs(images().find("dup-b").disk(), sharing(),
				    MountApi::kFsopen);
	const Mount c = mount_erofs(images().find("enc-plain").disk(),
				    sharing(), MountApi::kLibmount);

	EXPECT_TRUE(shows_inode_share(c.path()));
	read_through(a.at("small/300001.text"));
	EXPECT_EQ(resident_pages(b.at("small/300001.text")),
		  total_pages(a.at("small/300001.text")));
}

} // namespace
} // namespace erofs_share
