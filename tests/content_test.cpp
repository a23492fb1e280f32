// SPDX-License-Identifier: GPL-2.0-only
// Every byte read through a shared mount is the image's own, in every order of
// reading, also when half of a file came from another image.
#include "fixture.h"
#include "proc.h"

#include <algorithm>

namespace erofs_share {
namespace {

using testing::IsEmpty;

/// One image, mounted in each of the ways it can be.
class EveryImage : public ErofsTest,
		   public testing::WithParamInterface<const char *> {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		const std::string reason =
			unsupported(images().find(GetParam()));
		if (!reason.empty())
			GTEST_SKIP() << reason;
	}
	[[nodiscard]] static const Tree &tree()
	{
		return *images().find(GetParam()).tree;
	}
	/// Keeps what a user sees of @mount, for "erofs-share parity".
	static void observe(const Mount &mount)
	{
		std::uint64_t pages = 0;
		std::string options;

		for (const FileSpec &file : tree().files)
			pages += resident_pages(mount.at(file.path));
		for (const std::string &option : shown_options(mount.path()))
			options += (options.empty() ? "" : ",") + option;
		RecordProperty("observed_resident_pages",
			       std::to_string(pages));
		RecordProperty("observed_options", options);
	}
};

TEST_P(EveryImage, ReadsBackAsItsSourceWithoutSharing)
{
	const Mount mount = mount_erofs(images().find(GetParam()).disk());

	EXPECT_THAT(wrong_files(mount.path(), tree()), IsEmpty());
	observe(mount);
}

TEST_P(EveryImage, ReadsBackAsItsSourceFileBackedWithoutSharing)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	const Mount mount = mount_erofs(images().find(GetParam()).file());

	EXPECT_THAT(wrong_files(mount.path(), tree()), IsEmpty());
	observe(mount);
}

constexpr const char *const kAllImages[] = {
	"dup-a",	 "dup-b",	   "text-a-lz4",  "text-b-lz4",
	"enc-plain",	 "enc-noinline",   "enc-chunk",	  "enc-lz4",
	"enc-lz4hc",	 "enc-lzma",	   "enc-deflate", "enc-zstd",
	"enc-fragments", "no-fingerprint", "hostile-a",	  "hostile-b"};

INSTANTIATE_TEST_SUITE_P(Images, EveryImage, testing::ValuesIn(kAllImages),
			 [](const auto &info) {
				 return parameter_name(info.param);
			 });

/// The same images, each alone in its domain.
class EverySharedImage : public ShareTest,
			 public testing::WithParamInterface<const char *> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (IsSkipped())
			return;
		const std::string reason =
			unsupported(images().find(GetParam()));
		if (!reason.empty())
			GTEST_SKIP() << reason;
	}
	[[nodiscard]] static const Tree &tree()
	{
		return *images().find(GetParam()).tree;
	}
};

TEST_P(EverySharedImage, ReadsBackAsItsSource)
{
	const Mount mount = mount_shared(GetParam());

	EXPECT_THAT(wrong_files(mount.path(), tree()), IsEmpty());
}

TEST_P(EverySharedImage, ReadsBackAsItsSourceFileBacked)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	const Mount mount =
		mount_erofs(images().find(GetParam()).file(), sharing());

	EXPECT_THAT(wrong_files(mount.path(), tree()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Images, EverySharedImage,
			 testing::ValuesIn(kAllImages), [](const auto &info) {
				 return parameter_name(info.param);
			 });

/// Two images that are read alternately.
class TwoImages : public ShareTest,
		  public testing::WithParamInterface<
			  std::pair<const char *, const char *>> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (IsSkipped())
			return;
		for (const char *name : {GetParam().first, GetParam().second}) {
			const std::string reason =
				unsupported(images().find(name));
			if (!reason.empty())
				GTEST_SKIP() << reason;
		}
	}
};

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
