// SPDX-License-Identifier: GPL-2.0-only
// Every image reads back as the tree it was made from, whatever its layout and
// the device it is on, without and with sharing.
#include "base/error.h"
#include "base/proc.h"
#include "support/fixture.h"
#include "support/image_list.h"

#include <sys/vfs.h>
#include <tuple>

namespace erofs_share {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

class ImageList : public ErofsTest {};

TEST_F(ImageList, NamesEveryImageOfTheStore)
{
	std::vector<std::string> listed = small_images();
	std::vector<std::string> stored;

	for (const auto &names : {big_images(), huge_images()})
		listed.insert(listed.end(), names.begin(), names.end());
	// Those without a tree of seeded content, and those for extended
	// attributes, have tests of their own.
	for (const Image &image : images().all())
		if (!image.tree->files.empty() &&
		    !image.name.starts_with("xattr-"))
			stored.push_back(image.name);
	EXPECT_THAT(listed, UnorderedElementsAreArray(stored));
}

TEST_F(ImageList, KnowsTheBlockSizeOfEveryLayout)
{
	for (const LayoutFamily &family : layout_families()) {
		for (const std::string &name : family.names) {
			const auto [mounted, outcome] = try_mount_image(
				images().find(name), Via::kDisk);
			struct statfs status {};

			if (!mounted)
				continue;
			if (statfs(mounted->path().c_str(), &status) != 0)
				throw_errno("statfs " + mounted->path());
			EXPECT_EQ(status.f_bsize, family.block_size) << name;
		}
	}
}

using ImageVia = std::tuple<std::string, Via>;

std::string test_name(const testing::TestParamInfo<ImageVia> &info)
{
	return parameter_name(std::get<0>(info.param) + "_as_" +
			      via_name(std::get<1>(info.param)));
}

const auto kSmallEveryWay =
	testing::Combine(testing::ValuesIn(small_images()),
			 testing::Values(Via::kDisk, Via::kLoop, Via::kFile));
// Nothing about these depends on the loop device, and each takes a second.
const auto kBig = testing::Combine(testing::ValuesIn(big_images()),
				   testing::Values(Via::kDisk, Via::kFile));

/// One image, mounted in each of the ways it can be.
class EveryImage : public ErofsTest,
		   public testing::WithParamInterface<ImageVia> {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		need({std::get<0>(GetParam())}, std::get<1>(GetParam()));
	}
};

TEST_P(EveryImage, ReadsBackAsItsSourceWithoutSharing)
{
	const auto &[name, via] = GetParam();
	const Image &image = images().find(name);
	const Mount mount = mount_image(image, via);

	EXPECT_THAT(wrong_files(mount.path(), *image.tree), IsEmpty());
	// What a user can see of it, for "erofs-share parity".
	std::uint64_t pages = 0;
	std::string options;
	for (const FileSpec &file : image.tree->files)
		pages += resident_pages(mount.at(file.path));
	// Loop devices are not the same from run to run.
	for (const std::string &option : shown_options(mount.path()))
		if (option.rfind("device=", 0) != 0)
			options += (options.empty() ? "" : ",") + option;
	RecordProperty("observed_resident_pages", std::to_string(pages));
	RecordProperty("observed_options", options);
}

INSTANTIATE_TEST_SUITE_P(Small, EveryImage, kSmallEveryWay, test_name);
INSTANTIATE_TEST_SUITE_P(Big, EveryImage, kBig, test_name);

/// The same, each alone in its domain.
class EverySharedImage : public ShareTest,
			 public testing::WithParamInterface<ImageVia> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({std::get<0>(GetParam())}, std::get<1>(GetParam()));
	}
};

TEST_P(EverySharedImage, ReadsBackAsItsSource)
{
	const auto &[name, via] = GetParam();
	const Mount mount = mount_shared(name, via);

	EXPECT_THAT(wrong_files(mount.path(), *images().find(name).tree),
		    IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Small, EverySharedImage, kSmallEveryWay, test_name);
INSTANTIATE_TEST_SUITE_P(Big, EverySharedImage, kBig, test_name);

} // namespace
} // namespace erofs_share
