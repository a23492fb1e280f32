// SPDX-License-Identifier: GPL-2.0-only
// What a file says of its layout, and reads that go around the page cache:
// lseek, FIEMAP, stat and O_DIRECT. All of it is the image's own affair, so it
// is as without sharing.
#include "base/error.h"
#include "base/fd.h"
#include "support/access_fixture.h"

#include <cstdlib>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <memory>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {
namespace {

struct FreeMemory {
	void operator()(void *memory) const
	{
		std::free(memory);
	}
};

/// All extents of @path as text, or why there are none.
std::string extents(const std::string &path)
{
	constexpr unsigned int kMost = 256;
	const UniqueFd fd = open_file(path, O_RDONLY);
	const std::unique_ptr<fiemap, FreeMemory> map(
		static_cast<fiemap *>(std::calloc(
			1, sizeof(fiemap) + kMost * sizeof(fiemap_extent))));
	std::string text;

	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_extent_count = kMost;
	if (ioctl(fd.get(), FS_IOC_FIEMAP, map.get()) != 0)
		return errno_name(errno);
	for (unsigned int i = 0; i < map->fm_mapped_extents; i++) {
		const fiemap_extent &extent = map->fm_extents[i];

		text += std::to_string(extent.fe_logical) + "+" +
			std::to_string(extent.fe_length) + "@" +
			std::to_string(extent.fe_physical) + ":" +
			std::to_string(extent.fe_flags) + " ";
	}
	return text;
}

class LayoutPath : public AccessPath {};

TEST_P(LayoutPath, SeekForDataAndHolesIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		Observations seen;
		const auto seek = [&](std::int64_t offset, int whence,
				      const std::string &what) {
			const off_t at = lseek(fd.get(), offset, whence);

			seen[what] =
				at < 0 ? errno_name(errno) : std::to_string(at);
		};

		seek(0, SEEK_END, "end");
		seek(-1, SEEK_SET, "before_the_start");
		seek(1L << 40, SEEK_SET, "far_beyond");
		for (const std::int64_t at :
		     {0, 4097, 299008, 300000, 300001}) {
			seek(at, SEEK_DATA, "data_" + std::to_string(at));
			seek(at, SEEK_HOLE, "hole_" + std::to_string(at));
		}
		EXPECT_EQ(seen["end"], std::to_string(kCommonBytes));
		EXPECT_EQ(seen["data_300001"], "ENXIO");
		return seen;
	});
}

TEST_P(LayoutPath, ExtentsAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		// Asked before and after the file was opened and read.
		const std::string first = extents(mount + "/" + kCommon);
		read_through(mount + "/" + kCommon);
		EXPECT_EQ(extents(mount + "/" + kCommon), first);
		return Observations{{"extents", first}};
	});
}

TEST_P(LayoutPath, ExtentsOfTheOtherImageAreItsOwn)
{
	const std::string own = extents(b().at(kCommon));

	read_through(a().at(kCommon));
	EXPECT_EQ(extents(b().at(kCommon)), own);
	observe("extents", own);
}

TEST_P(LayoutPath, StatIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const std::string path = mount + "/" + kCommon;
		struct stat status {};
		struct statx extended {};
		struct stat root {};

		read_through(path);
		EXPECT_EQ(stat(path.c_str(), &status), 0);
		EXPECT_EQ(stat(mount.c_str(), &root), 0);
		EXPECT_EQ(
			statx(AT_FDCWD, path.c_str(), 0, STATX_ALL, &extended),
			0);
		EXPECT_EQ(status.st_dev, root.st_dev);
		EXPECT_EQ(extended.stx_ino, status.st_ino);
		return Observations{
			{"ino", std::to_string(status.st_ino)},
			{"size", std::to_string(status.st_size)},
			{"blocks", std::to_string(status.st_blocks)},
			{"blksize", std::to_string(status.st_blksize)},
			{"mode", std::to_string(status.st_mode)},
			{"nlink", std::to_string(status.st_nlink)},
			{"uid", std::to_string(status.st_uid)},
			{"mtime", std::to_string(status.st_mtime)},
			{"statx_mask", std::to_string(extended.stx_mask)},
			{"statx_attributes",
			 std::to_string(extended.stx_attributes)},
			{"statx_blocks", std::to_string(extended.stx_blocks)}};
	});
}

TEST_P(LayoutPath, FstatOfAnOpenFileIsThatOfItsPath)
{
	for (const Mount *mount : {&a(), &b()}) {
		const std::string path = mount->at(kCommon);
		const UniqueFd fd = open_file(path, O_RDONLY);
		struct stat by_path {};
		struct stat by_fd {};

		ASSERT_EQ(stat(path.c_str(), &by_path), 0);
		ASSERT_EQ(fstat(fd.get(), &by_fd), 0);
		EXPECT_EQ(by_fd.st_dev, by_path.st_dev);
		EXPECT_EQ(by_fd.st_ino, by_path.st_ino);
		EXPECT_EQ(by_fd.st_blocks, by_path.st_blocks);
		EXPECT_EQ(by_fd.st_mode, by_path.st_mode);
		EXPECT_EQ(by_fd.st_atime, by_path.st_atime);
	}
}

TEST_P(LayoutPath, DirectReadsAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		constexpr std::size_t kLength = 65536;
		const std::string path = mount + "/" + kCommon;
		const std::unique_ptr<void, FreeMemory> memory(
			std::aligned_alloc(4096, kLength));
		const std::span bytes(static_cast<std::byte *>(memory.get()),
				      kLength);
		const UniqueFd fd(
			open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
		Observations seen = {
			{"open", errno_name(fd.valid() ? 0 : errno)}};

		if (!fd.valid())
			return seen;
		const ssize_t got =
			pread(fd.get(), bytes.data(), kLength, 4096);
		seen["read"] =
			got < 0 ? errno_name(errno) : std::to_string(got);
		if (got > 0) {
			EXPECT_EQ(
				difference(bytes.first(static_cast<std::size_t>(
						   got)),
					   content(), 4096),
				"");
		}
		seen["resident"] = std::to_string(resident_pages(path));
		return seen;
	});
}

TEST_P(LayoutPath, DirectFlagSetLaterIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		const int result = fcntl(fd.get(), F_SETFL, O_DIRECT);

		return Observations{
			{"fcntl", errno_name(result == 0 ? 0 : errno)}};
	});
}

INSTANTIATE_ON_BOTH_PAIRS(LayoutPath);

} // namespace
} // namespace erofs_share
