// SPDX-License-Identifier: GPL-2.0-only
// Every byte read through a shared mount is the image's own, in every order of
// reading, also when half of a file came from another image.
#include "support/fixture.h"

#include <algorithm>

namespace erofs_share {
namespace {

using testing::IsEmpty;

/// Two images that are read alternately.
class TwoImages : public ImagePair {};

TEST_P(TwoImages, HoldTheirOwnBytesWhicheverIsReadFirst)
{
	const Image &first = images().find(GetParam().first);
	const Image &second = images().find(GetParam().second);

	for (const bool swapped : {false, true}) {
		const Mount a = mount_erofs(first.disk(), sharing());
		const Mount b = mount_erofs(second.disk(), sharing());

		drop_caches(Drop::kAll);
		if (swapped) {
			EXPECT_THAT(wrong_files(b.path(), *second.tree),
				    IsEmpty());
		}
		EXPECT_THAT(wrong_files(a.path(), *first.tree), IsEmpty());
		EXPECT_THAT(wrong_files(b.path(), *second.tree), IsEmpty());
	}
}

TEST_P(TwoImages, HalfCachedFromOneImageReadsRightThroughTheOther)
{
	const Image &first = images().find(GetParam().first);
	const Image &second = images().find(GetParam().second);
	const Mount a = mount_erofs(first.disk(), sharing());
	const Mount b = mount_erofs(second.disk(), sharing());

	for (const FileSpec &file : second.tree->files) {
		// The halves meet inside a page.
		const std::uint64_t half = file.size / 2 + 1;
		const bool in_both = std::any_of(
			first.tree->files.begin(), first.tree->files.end(),
			[&](const FileSpec &other) {
				return other.path == file.path &&
				       other.seed == file.seed;
			});

		if (!in_both)
			continue;
		EXPECT_EQ(difference(a.at(file.path), file, 0, half), "");
		EXPECT_EQ(difference(b.at(file.path), file), "");
	}
}

TEST_P(TwoImages, PagesReadAlternatelyThroughBothImagesAreRight)
{
	const Image &first = images().find(GetParam().first);
	const Image &second = images().find(GetParam().second);
	const Mount a = mount_erofs(first.disk(), sharing());
	const Mount b = mount_erofs(second.disk(), sharing());
	const std::string name = second.tree->name == "mix"
					 ? "sizes/300001.text"
					 : "small/300001.text";
	const FileSpec &file = second.tree->file(name);
	constexpr std::uint64_t kStep = 7 * 4096ULL;

	for (std::uint64_t at = 0; at < file.size; at += kStep) {
		const Mount &mount = at / kStep % 2 == 0 ? a : b;

		EXPECT_EQ(difference(mount.at(name), file, at, at + 4096), "");
	}
	EXPECT_EQ(difference(a.at(name), file), "");
	EXPECT_EQ(difference(b.at(name), file), "");
}

INSTANTIATE_TEST_SUITE_P(
	Pairs, TwoImages,
	testing::Values(std::pair{"dup-a", "dup-b"},
			std::pair{"text-a-lz4", "text-b-lz4"},
			std::pair{"enc-plain", "enc-lz4"},
			std::pair{"enc-zstd", "enc-plain"},
			std::pair{"enc-fragments", "enc-chunk"},
			std::pair{"enc-lzma", "enc-deflate"}),
	[](const auto &info) {
		return parameter_name(std::string(info.param.first) + "_then_" +
				      info.param.second);
	});

} // namespace
} // namespace erofs_share
