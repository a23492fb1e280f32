// SPDX-License-Identifier: GPL-2.0-only
// Inodes of an image whose mapping somebody else has swapped, as drivers/dax
// does when the node of one of its devices is opened: erofs lets go of nothing
// but what it has attached itself.
#include "base/fd.h"
#include "content/device_archive.h"
#include "support/evict_inodes.h"
#include "support/fixture.h"
#include "support/swap_mapping.h"

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

namespace erofs_share {
namespace {

/// In both images with the tree "mix".
constexpr const char *kFile = "twin1";
/// On a tmpfs.
constexpr const char *kTmpfsFile = "/run/swap_mapping.target";
constexpr const char *kTmpfsText = "not of any image\n";

/// Whose mapping the node gets.
enum class Target { kTmpfs, kShared };
/// What makes erofs let go of the node's inode.
enum class End { kUnmount, kReclaim };

struct SwapCase {
	bool sharing = false; ///< the image with the node
	Target target = Target::kTmpfs;
	End end = End::kUnmount;
};

std::string swap_name(const testing::TestParamInfo<SwapCase> &info)
{
	return std::string(info.param.sharing ? "shared" : "plain") +
	       (info.param.target == Target::kTmpfs ? "_tmpfs" : "_image") +
	       (info.param.end == End::kUnmount ? "_unmounted" : "_reclaimed");
}

class ForeignMapping : public ErofsTest,
		       public testing::WithParamInterface<SwapCase> {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		need({"device-node"});
		if (!IsSkipped() && needs_sharing() &&
		    !no_inode_share().empty())
			GTEST_SKIP() << no_inode_share();
	}
	static bool needs_sharing()
	{
		return GetParam().sharing ||
		       GetParam().target == Target::kShared;
	}
};

/// Opens and closes the node in @mount, then has its inode evicted.
void open_and_evict(Mount mount, End end)
{
	const std::string node = mount.at(kSwapMappingNode);
	const FileSpec &file = find_tree(kDeviceTree).file("file");
	struct stat status {};

	ASSERT_EQ(stat(node.c_str(), &status), 0);
	ASSERT_TRUE(S_ISCHR(status.st_mode));
	ASSERT_EQ(difference(mount.at("file"), file), "");
	open_file(node, O_RDONLY);
	// A second open finds the inode as the first one left it.
	open_file(node, O_RDONLY);
	if (end == End::kReclaim) {
		evict_inodes(mount);
		open_file(node, O_RDONLY);
		evict_inodes(mount);
	}
	EXPECT_EQ(difference(mount.at("file"), file), "");
	EXPECT_EQ(mount.try_unmount(), 0);
}

TEST_P(ForeignMapping, OfADeviceNodeIsLeftAlone)
{
	const MountOptions other = MountOptions::sharing(DomainId::random());
	const FileSpec &file = find_tree("mix").file(kFile);
	std::optional<Mount> a;
	std::optional<Mount> b;

	std::ofstream(kTmpfsFile) << kTmpfsText;
	if (GetParam().target == Target::kShared) {
		a = mount_image(images().find("enc-plain"), Via::kDisk, other);
		b = mount_image(images().find("enc-noinline"), Via::kDisk,
				other);
		ASSERT_EQ(difference(a->at(kFile), file), "");
	}
	{
		const SwapMapping swap(a ? a->at(kFile) : kTmpfsFile);
		const MountOptions options =
			GetParam().sharing ? other : MountOptions{};

		// More than once: each time would take what is not ours.
		for (int i = 0; i < 3; i++)
			open_and_evict(mount_image(images().find("device-node"),
						   Via::kDisk, options),
				       GetParam().end);
		EXPECT_EQ(read_text(kTmpfsFile), kTmpfsText);
	}
	EXPECT_EQ(read_text(kTmpfsFile), kTmpfsText);
	if (!a)
		return;
	// The shared inode is still the one of both.
	EXPECT_EQ(difference(a->at(kFile), file), "");
	EXPECT_EQ(resident_pages(b->at(kFile)), total_pages(b->at(kFile)));
	drop_caches(Drop::kAll);
	EXPECT_EQ(difference(b->at(kFile), file), "");
	EXPECT_EQ(resident_pages(a->at(kFile)), total_pages(a->at(kFile)));
	EXPECT_EQ(a->try_unmount(), 0);
	EXPECT_EQ(difference(b->at(kFile), file), "");
}

constexpr SwapCase kEveryWay[] = {
	{false, Target::kTmpfs, End::kUnmount},
	{false, Target::kTmpfs, End::kReclaim},
	{false, Target::kShared, End::kUnmount},
	{false, Target::kShared, End::kReclaim},
	{true, Target::kTmpfs, End::kUnmount},
	{true, Target::kTmpfs, End::kReclaim},
	{true, Target::kShared, End::kUnmount},
	{true, Target::kShared, End::kReclaim},
};

INSTANTIATE_TEST_SUITE_P(DeviceNode, ForeignMapping,
			 testing::ValuesIn(kEveryWay), swap_name);

} // namespace
} // namespace erofs_share
