// SPDX-License-Identifier: GPL-2.0-only
// Decompression by a worker of the kernel when memory runs out: what it
// allocates does not belong to the task that reads.
#include "base/fd.h"
#include "machine/dm_device.h"
#include "support/fault_fixture.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <optional>

namespace erofs_share {
namespace {

/// Pages of kFaultFile.
struct Pages {
	off_t first;
	off_t count;
};

constexpr off_t kPage = 4096;
constexpr Pages kAll = {0, 10};
/// What is decompressed to get these needs places for the data around them,
/// which is not wanted where it is cached. They are one folio where readahead
/// makes folios of four pages, and only whole ones can be dropped.
constexpr Pages kGap = {4, 4};

/// A compressed image behind a device that holds reads back, and another one.
class FaultyWorker : public FaultTest,
		     public testing::WithParamInterface<const char *> {
      protected:
	void SetUp() override
	{
		FaultTest::SetUp();
		need({GetParam()});
		if (IsSkipped())
			return;

		MountOptions options = sharing();
		// Compressed data that is cached is decompressed by who reads.
		options.extra.emplace_back("cache_strategy=disabled");
		device_.emplace(images().find(GetParam()).disk());
		mount_.emplace(mount_erofs(device_->path(), options));
		other_.emplace(mount_other_than({GetParam()}));
		fd_ = open_file(mount_->at(kFaultFile), O_RDONLY);
	}
	void TearDown() override
	{
		fd_.reset();
		other_.reset();
		mount_.reset();
		device_.reset();
		FaultTest::TearDown();
	}

	/// The image's directory in /sys/fs/erofs.
	[[nodiscard]] std::string settings() const
	{
		return "/sys/fs/erofs/" +
		       std::filesystem::path(device_->path())
			       .filename()
			       .string() +
		       "/";
	}
	/// Reads with faults in the workers when @pages are not cached.
	FaultTally read_missing(const Pages &pages)
	{
		return fail_each(
			[&](NthFault &fault) {
				return read_with(fault, pages);
			},
			FaultTask::kWorkers);
	}

      private:
	int read_with(NthFault &fault, const Pages &pages);

	std::optional<DmDevice> device_;
	std::optional<Mount> mount_;
	std::optional<Mount> other_;
	UniqueFd fd_;
};

int FaultyWorker::read_with(NthFault &fault, const Pages &pages)
{
	const std::string other = other_->at(kFaultFile);
	const off_t first = pages.first * kPage;
	const off_t size = pages.count * kPage;

	// The metadata stays cached: nothing but contents can be held back.
	EXPECT_EQ(read_checked(fd_), 0);
	EXPECT_EQ(posix_fadvise(fd_.get(), first, size, POSIX_FADV_DONTNEED),
		  0);
	dirty_free_pages();
	HeldReads held(*device_);
	const int error = fault.during([&] {
		EXPECT_EQ(readahead(fd_.get(), first,
				    static_cast<std::size_t>(size)),
			  0);
		// The submitter is through with it, and the data comes by an
		// interrupt, which leaves the rest to a worker.
		EXPECT_GT(device_->reads_held(), 0U);
		held.release();
		return read_checked(fd_);
	});

	EXPECT_EQ(read_checked(fd_), 0);
	EXPECT_EQ(resident_pages(other), total_pages(other));
	EXPECT_EQ(difference(other, fault_file()), "");
	return error;
}

TEST_P(FaultyWorker, DecompressesRightOrFailsAndTheNextReadIsRight)
{
	Settings settings_of_image;
	// 2: never by the task that reads.
	settings_of_image.set(settings() + "sync_decompress", "2");
	const FaultInjection faults(
		FaultKind::kMemory,
		CodeRange::of_function("erofs",
				       "z_erofs_decompressqueue_work"));

	FaultTally tally = read_missing(kAll);
	tally += read_missing(kGap);
	EXPECT_THAT(tally, OnlyFailsWith(errors({ENOMEM, EIO})));
	record("workers", tally);
}

std::string worker_name(const testing::TestParamInfo<const char *> &info)
{
	return parameter_name(info.param);
}

INSTANTIATE_TEST_SUITE_P(Slice, FaultyWorker, testing::Values("4k-lz4"),
			 worker_name);

// LZMA allocates nothing there: its streams are made when the module is loaded
// and grown at mount. The file's fragments come from the packed inode's pages,
// which stay cached.
INSTANTIATE_TEST_SUITE_P(Rest, FaultyWorker,
			 testing::Values("4k-zstd", "4k-deflate", "4k-big64k",
					 "4k-dedupe"),
			 worker_name);

} // namespace
} // namespace erofs_share
