// SPDX-License-Identifier: GPL-2.0-only
// Block errors on an image's device, one by one: whoever needs the block is
// told, nothing wrong is kept, and the rest of the domain goes on.
#include "support/fault_fixture.h"

#include "base/fd.h"
#include "support/evict_inodes.h"

#include <cerrno>
#include <fcntl.h>
#include <list>
#include <optional>

namespace erofs_share {
namespace {

class FaultyBlocks : public FaultTest,
		     public testing::WithParamInterface<FaultCase> {
      protected:
	void SetUp() override
	{
		FaultTest::SetUp();
		need({GetParam().image}, GetParam().via);
		if (IsSkipped())
			return;

		const Image &image = images().find(GetParam().image);
		faults_.emplace(FaultKind::kBlock);
		if (GetParam().via == Via::kFile) {
			disks_.emplace_back(
				find_disk("images").value_or("none"));
			return;
		}
		disks_.emplace_back(image.disk());
		if (image.has_blob)
			disks_.emplace_back(image.blob_disk());
	}
	void TearDown() override
	{
		disks_.clear();
		faults_.reset();
		FaultTest::TearDown();
	}

	/// Expects that @fd, a file of @mount, and @other, the same of another
	/// image, can be read and have one copy.
	static void expect_one_copy(const UniqueFd &fd, const Mount &other)
	{
		const std::string path = other.at(kFaultFile);

		EXPECT_EQ(read_checked(fd), 0);
		EXPECT_EQ(resident_pages(path), total_pages(path));
		EXPECT_EQ(difference(path, fault_file()), "");
	}

      private:
	std::optional<FaultInjection> faults_;
	std::list<FailingDisk> disks_;
};

TEST_P(FaultyBlocks, OfAMountFailItOrNotAndTheNextOneShares)
{
	const Mount other = mount_other_than(GetParam());

	read_through(other.at(kFaultFile));
	const FaultTally tally = fail_each([&](NthFault &fault) {
		std::optional<Mount> mounted;
		drop_pages();
		const int error = fault.during([&] {
			auto [mount, outcome] =
				try_mount_image(images().find(GetParam().image),
						GetParam().via, sharing());
			mounted = std::move(mount);
			return outcome.error;
		});

		if (mounted) {
			EXPECT_TRUE(shows_inode_share(mounted->path()));
		}
		mounted.reset();
		const Mount again = mount_case(GetParam());
		expect_one_copy(open_file(again.at(kFaultFile), O_RDONLY),
				other);
		return error;
	});
	EXPECT_THAT(tally, OnlyFailsWith(errors({EIO})));
	EXPECT_GT(tally.errors(), 0U);
	record("mount, block", tally);
}

TEST_P(FaultyBlocks, OfAFirstOpenFailItOrNotAndItSharesOnceItIsEvicted)
{
	const Mount other = mount_other_than(GetParam());
	const FaultTally tally = fail_each([&](NthFault &fault) {
		const Mount mount = mount_case(GetParam());
		const std::string path = mount.at(kFaultFile);
		UniqueFd fd;
		drop_caches(Drop::kAll);
		const int error = fault.during([&] {
			fd = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
			return fd.valid() ? 0 : errno;
		});

		if (fd.valid()) {
			EXPECT_EQ(read_checked(fd), 0);
		}
		EXPECT_EQ(read_checked(open_file(path, O_RDONLY)), 0);
		fd.reset();
		evict_inodes(mount);
		expect_one_copy(open_file(path, O_RDONLY), other);
		return error;
	});
	EXPECT_THAT(tally, OnlyFailsWith(errors({EIO})));
	record("attach, block", tally);
}

TEST_P(FaultyBlocks, OfAReadAreReportedOrRepairedAndNotKept)
{
	const Mount other = mount_other_than(GetParam());
	const Mount mount = mount_case(GetParam());
	const UniqueFd fd = open_file(mount.at(kFaultFile), O_RDONLY);
	const FaultTally tally = fail_each([&](NthFault &fault) {
		drop_pages();
		const int error =
			fault.during([&] { return read_checked(fd); });

		expect_one_copy(fd, other);
		return error;
	});

	EXPECT_THAT(tally, OnlyFailsWith(errors({EIO})));
	record("read, block", tally);
}

/// A disk that breaks. Image files are not among the images: they are all on
/// one.
class FaultyDisk : public FaultyBlocks {};

TEST_P(FaultyDisk, IsReportedToReadersOfItsImageOnly)
{
	constexpr std::uint64_t kPage = 4096;
	const Mount other = mount_other_than(GetParam());
	const Mount mount = mount_case(GetParam());
	const UniqueFd fd = open_file(mount.at(kFaultFile), O_RDONLY);
	FaultTally tally;
	unsigned int failed = 1;

	// The device gives less, then a page more, until that is enough.
	for (std::uint64_t bytes = 0; failed > 0; bytes += kPage) {
		drop_pages();
		int error = 0;
		{
			const BrokenDisks broken(bytes);
			error = read_checked(fd);
			failed = broken.failed();
			if (error != 0) {
				EXPECT_LT(resident_pages(mount.at(kFaultFile)),
					  total_pages(mount.at(kFaultFile)));
				EXPECT_EQ(difference(other.at(kFaultFile),
						     fault_file()),
					  "");
				EXPECT_EQ(read_checked(fd), 0)
					<< "of what the other image has read";
			}
		}
		tally.injected += failed;
		if (failed > 0)
			tally.outcomes[error]++;
		else
			tally.unprovoked = error;
		drop_pages();
		expect_one_copy(fd, other);
	}
	EXPECT_THAT(tally, OnlyFailsWith(errors({EIO})));
	EXPECT_GT(tally.outcomes[EIO], 0U);
	record("read, broken", tally);
}

std::string block_name(const testing::TestParamInfo<FaultCase> &info)
{
	return case_name(info.param);
}

/// The images of the slice, on their disks.
const std::vector<FaultCase> kSlice = {
	{"4k-inline"}, {"4k-blob"}, {"4k-lz4"}, {"4k-fragments"}};
/// The other images on disks.
const std::vector<FaultCase> kRest = {
	{"4k-plain"},	     {"4k-chunk64k"},	 {"4k-lzma"},	{"4k-deflate"},
	{"4k-zstd"},	     {"4k-big64k"},	 {"4k-dedupe"}, {"512-inline"},
	{"4k-ztailpacking"}, {"4k-allfragments"}};

INSTANTIATE_TEST_SUITE_P(Slice, FaultyBlocks, testing::ValuesIn(kSlice),
			 block_name);
INSTANTIATE_TEST_SUITE_P(Rest, FaultyBlocks, testing::ValuesIn(kRest),
			 block_name);
INSTANTIATE_TEST_SUITE_P(RestFiles, FaultyBlocks,
			 testing::Values(FaultCase{"4k-inline", Via::kFile},
					 FaultCase{"4k-lz4", Via::kFile}),
			 block_name);
INSTANTIATE_TEST_SUITE_P(Slice, FaultyDisk, testing::ValuesIn(kSlice),
			 block_name);
INSTANTIATE_TEST_SUITE_P(Rest, FaultyDisk, testing::ValuesIn(kRest),
			 block_name);

} // namespace
} // namespace erofs_share
