// SPDX-License-Identifier: GPL-2.0-only
// What is stacked on shared files: overlayfs, loop devices, and erofs images
// that lie in an erofs image.
#include "base/error.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "machine/overlay.h"
#include "os/loop_device.h"
#include "support/access_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::IsEmpty;

class OverlayPath : public AccessPath {
      protected:
	/// An overlay with a() above b().
	[[nodiscard]] Mount overlay() const
	{
		return mount_overlay({a().path(), b().path()});
	}
};

TEST_P(OverlayPath, ReadingGivesTheBytesAndOneCopy)
{
	const Mount top = overlay();

	EXPECT_EQ(difference(top.at(kCommon), content()), "");
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(OverlayPath, MappingShowsTheBytesAndOneCopy)
{
	const Mount top = overlay();

	for (const int flags : {MAP_SHARED, MAP_PRIVATE}) {
		const MappedFile mapped(top.at(kCommon), flags);

		EXPECT_EQ(difference(mapped.bytes(), content()), "");
	}
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(OverlayPath, FilesOfEachLayerHaveTheirOwnBytes)
{
	const Mount top = overlay();
	const Tree &first = *images().find(GetParam().first).tree;
	const Tree &second = *images().find(GetParam().second).tree;

	for (const FileSpec &file : first.files) {
		// The big one would only take long.
		if (file.path == "dup64m")
			continue;
		EXPECT_EQ(difference(top.at(file.path), file), "");
	}
	const std::string lower = "only-" + second.name;
	EXPECT_EQ(difference(top.at(lower), second.file(lower)), "");
}

TEST_P(OverlayPath, ReadaheadThroughItReadsInOneCopy)
{
	const Mount top = overlay();
	const UniqueFd fd = open_file(top.at(kCommon), O_RDONLY);

	EXPECT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_WILLNEED), 0);
	EXPECT_TRUE(wait_until_resident(a().at(kCommon), 1));
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(OverlayPath, WritingCopiesUpAndChangesNoImage)
{
	const TemporaryDirectory scratch;
	const Mount top = mount_overlay({a().path(), b().path()}, &scratch);
	{
		const UniqueFd fd = open_file(top.at(kCommon), O_RDWR);

		EXPECT_EQ(pwrite(fd.get(), "!!!!", 4, 5000), 4);
	}
	EXPECT_EQ(difference(top.at(kCommon), content(), 0, 5000), "");
	EXPECT_EQ(difference(top.at(kCommon), content(), 5004), "");
	EXPECT_NE(difference(top.at(kCommon), content()), "");
	EXPECT_EQ(difference(a().at(kCommon), content()), "");
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
}

TEST_P(OverlayPath, OverlayReadsOnWhenItsImageIsUnmounted)
{
	const Mount top = overlay();

	// An overlay has a private mount of each layer.
	EXPECT_EQ(take_a().try_unmount(), 0);
	EXPECT_EQ(difference(top.at(kCommon), content()), "");
	EXPECT_EQ(resident_pages(b().at(kCommon)), shared() ? kCommonPages : 0);
	drop_caches(Drop::kAll);
	EXPECT_EQ(difference(top.at(kCommon), content()), "");
}

TEST_P(OverlayPath, OpenFileKeepsTheOverlayBusy)
{
	Mount top = overlay();
	{
		const UniqueFd fd = open_file(top.at(kCommon), O_RDONLY);
		EXPECT_EQ(top.try_unmount(), EBUSY);
	}
	EXPECT_EQ(top.try_unmount(), 0);
}

INSTANTIATE_ON_BOTH_PAIRS(OverlayPath);

/// Two images with one file in them that is an erofs image itself.
class NestedPath : public AccessPath {
      protected:
	static constexpr const char *kInner = "inner.erofs";

	/// What is in the inner image.
	[[nodiscard]] static const Tree &inner()
	{
		return find_tree("mix");
	}
	/// Mounts the inner image of @outer as a file, with @options, and looks
	/// whether that works and all of it is right.
	static Observations mount_inner(const std::string &outer,
					const MountOptions &options)
	{
		const auto [mounted, outcome] =
			try_mount_erofs(outer + "/" + kInner, options);

		if (mounted) {
			EXPECT_THAT(wrong_files(mounted->path(), inner()),
				    IsEmpty());
		}
		return {{"mount", errno_name(outcome.error)}};
	}
};

TEST_P(NestedPath, BufferedLoopDeviceGivesTheBytesAndOneCopy)
{
	{
		const LoopDevice loop(a().at(kInner), LoopIo::kBuffered);
		const Mount mount = mount_erofs(loop.path());

		EXPECT_THAT(wrong_files(mount.path(), inner()), IsEmpty());
	}
	expect_one_copy(kInner);
}

TEST_P(NestedPath, BufferedLoopDeviceOnTheOtherImageAddsNoCopy)
{
	read_through(a().at(kInner));
	const std::uint64_t all = total_pages(a().at(kInner));
	const LoopDevice loop(b().at(kInner), LoopIo::kBuffered);
	const Mount mount = mount_erofs(loop.path());

	EXPECT_EQ(resident_pages(b().at(kInner)) == all, shared());
	EXPECT_THAT(wrong_files(mount.path(), inner()), IsEmpty());
	EXPECT_EQ(resident_pages(a().at(kInner)), all);
}

TEST_P(NestedPath, DirectLoopDeviceGivesTheBytes)
{
	const LoopDevice loop(a().at(kInner));
	const Mount mount = mount_erofs(loop.path());

	EXPECT_THAT(wrong_files(mount.path(), inner()), IsEmpty());
}

TEST_P(NestedPath, LoopDevicesOnBothImagesCanShareTheirContent)
{
	const LoopDevice first(a().at(kInner), LoopIo::kBuffered);
	const LoopDevice second(b().at(kInner), LoopIo::kBuffered);
	const Mount mount_a = mount_erofs(first.path(), options());
	const Mount mount_b = mount_erofs(second.path(), options());

	EXPECT_THAT(wrong_files(mount_a.path(), inner()), IsEmpty());
	EXPECT_THAT(not_resident(mount_b.path(), inner()).empty(), shared());
	EXPECT_THAT(wrong_files(mount_b.path(), inner()), IsEmpty());
}

TEST_P(NestedPath, LoopDeviceKeepsItsImageBusy)
{
	{
		const LoopDevice loop(a().at(kInner));

		EXPECT_EQ(take_a().try_unmount(), EBUSY);
	}
	// A loop device lets go of its file when its last opener has.
	EXPECT_TRUE(soon([&] { return take_a().try_unmount() == 0; }));
}

TEST_P(NestedPath, MountOfTheInnerImageAsAFileIsAsStock)
{
	expect_as_stock([](const std::string &outer) {
		return mount_inner(outer, {});
	});
}

TEST_P(NestedPath, MountOfTheInnerImageAsAFileGivesOneCopy)
{
	if (mount_inner(a().path(), {}).at("mount") != "0")
		GTEST_SKIP() << "this kernel mounts no image of an erofs";
	expect_one_copy(kInner);
}

TEST_P(NestedPath, InnerImagesOfBothShareTheirContentAsFiles)
{
	auto [mount_a, outcome] = try_mount_erofs(a().at(kInner), options());
	if (!mount_a)
		GTEST_SKIP() << "this kernel mounts no image of an erofs ("
			     << outcome.text() << ")";
	Mount mount_b = mount_erofs(b().at(kInner), options());

	EXPECT_THAT(wrong_files(mount_a->path(), inner()), IsEmpty());
	EXPECT_THAT(not_resident(mount_b.path(), inner()).empty(), shared());
	EXPECT_THAT(wrong_files(mount_b.path(), inner()), IsEmpty());
	EXPECT_EQ(take_a().try_unmount(), EBUSY);
	EXPECT_EQ(mount_a->try_unmount(), 0);
	EXPECT_EQ(take_a().try_unmount(), 0);
	EXPECT_THAT(wrong_files(mount_b.path(), inner()), IsEmpty());
}

// A file whose shared inode an image on a disk has made, read by one that lies
// in a file of another image, and the other way round: two mappings' locks
// nest, and lockdep, where the kernel has it, must know them apart whoever made
// them.
TEST_P(NestedPath, ImageInsideReadsWhatItsCopyOnADiskHasMadeAndTheOtherWayRound)
{
	const auto [inside, outcome] =
		try_mount_erofs(a().at(kInner), options());
	if (!inside)
		GTEST_SKIP() << "this kernel mounts no image of an erofs ("
			     << outcome.text() << ")";
	const Mount disk =
		mount_image(images().find("enc-plain"), Via::kDisk, options());

	for (const auto &[maker, reader] :
	     {std::pair{&disk, &*inside}, std::pair{&*inside, &disk}}) {
		drop_caches(Drop::kAll);
		for (const FileSpec &file : inner().files)
			open_file(maker->at(file.path), O_RDONLY);
		for (const FileSpec &file : inner().files) {
			if (file.size == 0)
				continue;
			const MappedFile mapped(reader->at(file.path),
						MAP_SHARED);

			EXPECT_EQ(difference(mapped.bytes(), file), "");
		}
		EXPECT_THAT(wrong_files(maker->path(), inner()), IsEmpty());
	}
}

INSTANTIATE_TEST_SUITE_P(
	Uncompressed, NestedPath,
	testing::Values(AccessCase{Sharing::kOff, "nested-a", "nested-b"},
			AccessCase{Sharing::kOn, "nested-a", "nested-b"}),
	sharing_name);

} // namespace
} // namespace erofs_share
