// SPDX-License-Identifier: GPL-2.0-only
// How long the shared cache lives: longer than inodes and single mounts, and no
// longer than its domain.
#include "base/fd.h"
#include "base/mapped_file.h"
#include "machine/kernel_module.h"
#include "support/fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>

namespace erofs_share {
namespace {

std::int64_t cached()
{
	return static_cast<std::int64_t>(cached_bytes());
}

class Lifetime : public ShareTest {};

TEST_F(Lifetime, ReclaimOfInodesAndDentriesKeepsTheSharedCache)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_through(a.at("dup64m"));
	const std::int64_t before = cached();
	drop_caches(Drop::kSlab);
	EXPECT_LT(before - cached(), kSlack);
	EXPECT_EQ(resident_pages(b.at("dup64m")), kBigPages);
	EXPECT_EQ(resident_pages(a.at("dup64m")), kBigPages);
}

TEST_F(Lifetime, DroppingThePageCacheEmptiesTheSharedCache)
{
	const Mount a = mount_shared("dup-a");

	read_through(a.at("dup64m"));
	drop_caches(Drop::kPages);
	EXPECT_EQ(resident_pages(a.at("dup64m")), 0U);
}

TEST_F(Lifetime, UnmountingOneImageKeepsTheCacheForTheOther)
{
	Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_through(a.at("dup64m"));
	a.unmount();
	EXPECT_EQ(resident_pages(b.at("dup64m")), kBigPages);
	EXPECT_EQ(difference(b.at("dup64m"), find_tree("dup-b").file("dup64m")),
		  "");
}

TEST_F(Lifetime, ImageMountedAgainFindsTheCacheWarm)
{
	Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_through(a.at("dup64m"));
	a.unmount();
	const Mount again = mount_shared("dup-a");
	EXPECT_EQ(resident_pages(again.at("dup64m")), kBigPages);
}

TEST_F(Lifetime, MappingStaysValidWhenTheImageThatReadItsPagesGoes)
{
	Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const MappedFile mapped(b.at("dup64m"), MAP_SHARED);

	read_through(a.at("dup64m"));
	a.unmount();
	EXPECT_EQ(difference(mapped.bytes(), find_tree("dup-b").file("dup64m")),
		  "");
	drop_caches(Drop::kAll);
	EXPECT_EQ(difference(mapped.bytes(), find_tree("dup-b").file("dup64m")),
		  "");
}

TEST_F(Lifetime, MappingReadsItsPagesThroughItsOwnImage)
{
	const Mount a = mount_shared("dup-a");
	const MappedFile mapped(a.at("dup64m"), MAP_PRIVATE);
	const Mount b = mount_shared("dup-b");

	EXPECT_EQ(difference(mapped.bytes(), find_tree("dup-a").file("dup64m")),
		  "");
	EXPECT_EQ(resident_pages(b.at("dup64m")), kBigPages);
}

TEST_F(Lifetime, UnmountIsBusyWhileAFileIsOpenAndSucceedsAfter)
{
	Mount a = mount_shared("dup-a");
	{
		const UniqueFd fd = open_file(a.at("dup64m"), O_RDONLY);
		EXPECT_EQ(a.try_unmount(), EBUSY);
	}
	EXPECT_EQ(a.try_unmount(), 0);
}

TEST_F(Lifetime, UnmountIsBusyWhileAFileIsMappedAndSucceedsAfter)
{
	Mount a = mount_shared("dup-a");
	{
		const MappedFile mapped(a.at("dup64m"), MAP_SHARED);
		EXPECT_EQ(a.try_unmount(), EBUSY);
	}
	EXPECT_EQ(a.try_unmount(), 0);
}

TEST_F(Lifetime, OpenFileOfOneImageDoesNotKeepAnotherBusy)
{
	const Mount a = mount_shared("dup-a");
	Mount b = mount_shared("dup-b");
	const UniqueFd fd = open_file(a.at("dup64m"), O_RDONLY);

	read_through(b.at("dup64m"));
	EXPECT_EQ(b.try_unmount(), 0);
	EXPECT_EQ(difference(a.at("dup64m"), find_tree("dup-a").file("dup64m")),
		  "");
}

TEST_F(Lifetime, LastUnmountOfTheDomainReturnsTheMemory)
{
	const std::int64_t before = cached();
	Mount a = mount_shared("dup-a");
	Mount b = mount_shared("dup-b");

	read_through(a.at("dup64m"));
	// The second has the file as well, so that it keeps the cache.
	read_through(b.at("dup64m"));
	EXPECT_GT(cached() - before, kBigBytes - kSlack);
	a.unmount();
	EXPECT_GT(cached() - before, kBigBytes - kSlack);
	b.unmount();
	EXPECT_LT(cached() - before, kSlack);
}

TEST_F(Lifetime, LastUnmountOfTheDomainLeavesNoSuperblock)
{
	if (!module_loaded("erofs"))
		GTEST_SKIP() << "erofs is built into this kernel";
	const int before = module_references("erofs");
	{
		const Mount a = mount_shared("dup-a");
		const Mount b =
			mount_erofs(images().find("dup-b").disk(),
				    MountOptions::sharing(DomainId::random()));

		read_through(a.at("small/4097.text"));
		read_through(b.at("small/4097.text"));
		EXPECT_GT(module_references("erofs"), before + 2)
			<< "domains hold the module as well";
	}
	EXPECT_EQ(module_references("erofs"), before);
}

TEST_F(Lifetime, DomainStartsColdAfterItsLastUnmount)
{
	{
		const Mount a = mount_shared("dup-a");
		read_through(a.at("dup64m"));
	}
	const Mount again = mount_shared("dup-a");
	EXPECT_EQ(resident_pages(again.at("dup64m")), 0U);
}

TEST_F(Lifetime, LazilyDetachedImageServesItsOpenFileToTheEnd)
{
	const Mount b = mount_shared("dup-b");
	const FileSpec &file = find_tree("dup-a").file("dup64m");
	UniqueFd fd;
	{
		Mount a = mount_shared("dup-a");
		fd = open_file(a.at("dup64m"), O_RDONLY);
		EXPECT_EQ(umount2(a.path().c_str(), MNT_DETACH), 0);
		a.forget();
	}
	std::vector<std::byte> bytes(1 << 20);
	EXPECT_EQ(read_at(fd.get(), bytes, 12345, file.path), bytes.size());
	EXPECT_EQ(difference(bytes, file, 12345), "");
}

} // namespace
} // namespace erofs_share
