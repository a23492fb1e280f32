// SPDX-License-Identifier: GPL-2.0-only
// Loop devices over files of images: direct I/O where the image's own device
// has large blocks, and what a loop device leaves behind on the pages' mapping.
#include "base/error.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "os/loop_device.h"
#include "support/access_fixture.h"
#include "support/swap_mapping.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <linux/fs.h>
#include <memory>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace erofs_share {
namespace {

using testing::IsEmpty;

constexpr const char *kInner = "inner.erofs";
constexpr std::size_t kSector = 512;

/// A copy of image "nested-a" on a device with blocks of 4096 bytes.
class LargeBlocks {
      public:
	LargeBlocks()
	{
		std::filesystem::copy_file(
			images().find("nested-a").file(), kPath,
			std::filesystem::copy_options::overwrite_existing);
		loop_.emplace(kPath, LoopOptions{.io = LoopIo::kBuffered,
						 .block_size = 4096});
	}
	LargeBlocks(const LargeBlocks &) = delete;
	LargeBlocks &operator=(const LargeBlocks &) = delete;
	LargeBlocks(LargeBlocks &&) = delete;
	LargeBlocks &operator=(LargeBlocks &&) = delete;
	~LargeBlocks()
	{
		std::filesystem::remove(kPath);
	}
	[[nodiscard]] const std::string &path() const
	{
		return loop_->path();
	}

      private:
	static constexpr const char *kPath = "/run/nested-a.erofs";

	std::optional<LoopDevice> loop_;
};

/// The errno of reading single sectors of @device past the page cache, all over
/// it; 0 when all are as in @expected.
int read_sectors(const std::string &device, std::span<const std::byte> expected)
{
	constexpr std::size_t kStep = 41 * kSector;
	const UniqueFd fd = open_file(device, O_RDONLY | O_DIRECT);
	const std::unique_ptr<void, decltype(&std::free)> memory(
		std::aligned_alloc(4096, 4096), std::free);
	int block = 0;

	if (ioctl(fd.get(), BLKSSZGET, &block) != 0)
		throw_errno("BLKSSZGET " + device);
	const auto length = static_cast<std::size_t>(block);
	for (std::size_t at = 0; at + length <= expected.size();
	     at += (kStep + length - 1) / length * length) {
		const ssize_t got = pread(fd.get(), memory.get(), length,
					  static_cast<off_t>(at));

		if (got < 0)
			return errno;
		EXPECT_EQ(static_cast<std::size_t>(got), length);
		EXPECT_TRUE(std::equal(
			expected.begin() + static_cast<std::ptrdiff_t>(at),
			expected.begin() +
				static_cast<std::ptrdiff_t>(at + length),
			static_cast<std::byte *>(memory.get())))
			<< "at " << at;
	}
	return 0;
}

class LoopOnLargeBlocks : public ErofsTest,
			  public testing::WithParamInterface<Sharing> {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		if (GetParam() == Sharing::kOn && !no_inode_share().empty())
			GTEST_SKIP() << no_inode_share();
		need({"nested-a"});
	}
};

TEST_P(LoopOnLargeBlocks, WithDirectIoReadsTheBytesOfItsFile)
{
	const LargeBlocks device;
	const UniqueFd fd = open_file(device.path(), O_RDONLY);
	int block = 0;

	ASSERT_EQ(ioctl(fd.get(), BLKSSZGET, &block), 0);
	ASSERT_EQ(block, 4096);
	const Mount outer =
		mount_erofs(device.path(),
			    GetParam() == Sharing::kOn
				    ? MountOptions::sharing(DomainId::random())
				    : MountOptions{});
	const MappedFile expected(images().find("enc-plain").file(),
				  MAP_SHARED);
	const LoopDevice loop(outer.at(kInner), LoopIo::kDirect);

	EXPECT_EQ(errno_name(read_sectors(loop.path(), expected.bytes())), "0");
	const Mount inner = mount_erofs(loop.path());
	EXPECT_THAT(wrong_files(inner.path(), find_tree("mix")), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Image, LoopOnLargeBlocks,
			 testing::Values(Sharing::kOff, Sharing::kOn),
			 [](const auto &info) {
				 return info.param == Sharing::kOn ? "shared"
								   : "plain";
			 });

/// Two images with one file in both.
class LoopFlags : public AccessPath {
      protected:
	/// With which flags the pages of kInner are allocated.
	static std::string gfp(const std::string &path)
	{
		const SwapMapping module(path);

		return SwapMapping::gfp();
	}
	/// Detaches @loop, which the kernel does some time after it is told.
	static void detach(std::optional<LoopDevice> &loop)
	{
		const std::string path = loop->path();
		const std::string file = "/sys/block/" +
					 path.substr(path.rfind('/') + 1) +
					 "/loop/backing_file";

		loop.reset();
		EXPECT_TRUE(
			soon([&] { return access(file.c_str(), F_OK) != 0; }));
	}
};

// A loop device forbids its file's mapping to wait for file systems, and puts
// back what it found. Two on one mapping, detached in the order in which they
// were attached, put back each other's: that may last until nobody has the
// file.
TEST_P(LoopFlags, OfTwoDevicesAreGoneOnceNobodyHasTheFile)
{
	const std::string usual = gfp(a().at(kInner));
	std::optional<LoopDevice> first(std::in_place, a().at(kInner),
					LoopIo::kBuffered);
	std::optional<LoopDevice> second(std::in_place, b().at(kInner),
					 LoopIo::kBuffered);

	read_through(a().at(kInner));
	EXPECT_NE(gfp(a().at(kInner)), usual);
	detach(first);
	detach(second);
	// Their inodes go; the pages stay, and so does their mapping.
	drop_caches(Drop::kSlab);
	EXPECT_EQ(resident_pages(b().at(kInner)),
		  shared() ? total_pages(b().at(kInner)) : 0);
	drop_caches(Drop::kSlab);
	EXPECT_EQ(gfp(a().at(kInner)), usual);
	EXPECT_EQ(gfp(b().at(kInner)), usual);
}

INSTANTIATE_TEST_SUITE_P(
	Uncompressed, LoopFlags,
	testing::Values(AccessCase{Sharing::kOff, "nested-a", "nested-b"},
			AccessCase{Sharing::kOn, "nested-a", "nested-b"}),
	sharing_name);

} // namespace
} // namespace erofs_share
