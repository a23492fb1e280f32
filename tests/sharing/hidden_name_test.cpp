// SPDX-License-Identifier: GPL-2.0-only
// The form of fingerprints that user space cannot see, set or copy: they share
// as the named ones do, and with them, and no call shows them.
#include "base/error.h"
#include "support/fixture.h"
#include "tool/status.h"

#include <sys/xattr.h>

namespace erofs_share {

namespace {

using testing::IsEmpty;

/// Two images of one tree, in the order of reading.
struct Pair {
	const char *first;
	const char *second;
};

class HiddenPair : public ShareTest, public testing::WithParamInterface<Pair> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({GetParam().first, GetParam().second});
	}
};

TEST_P(HiddenPair, HasOneCopyWithTheRightBytes)
{
	const Tree &tree = find_tree("facets");
	const Mount a = mount_shared(GetParam().first);
	const Mount b = mount_shared(GetParam().second);

	EXPECT_THAT(wrong_files(a.path(), tree), IsEmpty());
	EXPECT_THAT(not_resident(b.path(), tree), IsEmpty());
	EXPECT_THAT(wrong_files(b.path(), tree), IsEmpty());
}

TEST_P(HiddenPair, CountsWhatItShares)
{
	if (!erofs_is_ours())
		GTEST_SKIP() << "only our module counts what is shared";
	const Tree &tree = find_tree("facets");
	const Mount a = mount_shared(GetParam().first);
	const Mount b = mount_shared(GetParam().second);

	read_tree(a.path(), tree);
	read_tree(b.path(), tree);
	const Status status = read_status();
	ASSERT_EQ(status.mounts.size(), 2U);
	ASSERT_EQ(status.domains.size(), 1U);
	EXPECT_GT(status.domains[0].resident_bytes, 0U);
	// Without sharing, each file of each image would have its own pages.
	std::uint64_t pages = 0;
	for (const FileSpec &file : tree.files)
		pages += 2 * total_pages(a.at(file.path));
	EXPECT_EQ(status.domains[0].saved_bytes,
		  pages * 4096 - status.domains[0].resident_bytes);
	for (const MountStatus &mount : status.mounts)
		EXPECT_EQ(mount.resident_bytes,
			  status.domains[0].resident_bytes);
	EXPECT_EQ(status.mounts[0].foreign_bytes +
			  status.mounts[1].foreign_bytes,
		  status.domains[0].resident_bytes);
}

INSTANTIATE_TEST_SUITE_P(
	Images, HiddenPair,
	testing::Values(Pair{"hidden-inline", "hidden-lz4"},
			Pair{"hidden-lz4", "hidden-inline"},
			Pair{"hidden-noinline", "hidden-chunk"},
			Pair{"hidden-chunk", "hidden-packed"},
			Pair{"hidden-packed", "hidden-noinline"},
			Pair{"hidden-512", "hidden-lz4"},
			Pair{"hidden-512-lz4", "hidden-inline"},
			Pair{"hidden-inline", "4k-lz4"},
			Pair{"4k-inline", "hidden-lz4"},
			Pair{"512-inline", "hidden-512"},
			Pair{"hidden-512-lz4", "512-lz4"}),
	[](const auto &info) {
		return parameter_name(info.param.first + std::string("_then_") +
				      info.param.second);
	});

class HiddenName : public ShareTest,
		   public testing::WithParamInterface<const char *> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({GetParam()});
	}
};

TEST_P(HiddenName, IsInNoListAndAnswersToNoName)
{
	const Tree &tree = find_tree("facets");

	for (const bool shared : {false, true}) {
		const Mount mount =
			mount_image(images().find(GetParam()), Via::kDisk,
				    shared ? sharing() : MountOptions{});

		for (const FileSpec &file : tree.files) {
			const std::string path = mount.at(file.path);

			// Attached or not.
			read_through(path);
			EXPECT_EQ(llistxattr(path.c_str(), nullptr, 0), 0)
				<< path;
			for (const char *name :
			     {"trusted.erofs.fingerprint.v1",
			      "trusted.erofs.fingerprint",
			      "user.erofs.fingerprint.v1",
			      "security.erofs.fingerprint.v1"}) {
				EXPECT_EQ(lgetxattr(path.c_str(), name, nullptr,
						    0),
					  -1);
				EXPECT_EQ(errno, ENODATA) << name;
			}
			EXPECT_EQ(lgetxattr(path.c_str(),
					    "erofs.fingerprint.v1", nullptr, 0),
				  -1);
			EXPECT_EQ(errno, EOPNOTSUPP);
		}
	}
}

INSTANTIATE_TEST_SUITE_P(Images, HiddenName,
			 testing::Values("hidden-inline", "hidden-lz4",
					 "hidden-packed", "hidden-512"),
			 [](const auto &info) {
				 return parameter_name(info.param);
			 });

} // namespace

} // namespace erofs_share
