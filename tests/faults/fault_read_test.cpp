// SPDX-License-Identifier: GPL-2.0-only
// Reading a shared file when memory runs out: right bytes or an error, and the
// next read of anybody in the domain gets them, from one copy.
#include "base/error.h"
#include "support/fault_fixture.h"

#include "base/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/mman.h>

namespace erofs_share {
namespace {

/// How the file is read.
enum class Way {
	kRead,	      ///< read(2), with readahead
	kSinglePages, ///< read(2) of a file that asks for no readahead
	kReadahead,   ///< readahead(2)
	kMap,	      ///< page faults, by madvise(MADV_POPULATE_READ)
};

std::string way_name(Way way)
{
	switch (way) {
	case Way::kRead:
		return "read";
	case Way::kSinglePages:
		return "single";
	case Way::kReadahead:
		return "readahead";
	case Way::kMap:
		break;
	}
	return "map";
}

struct ReadCase {
	FaultCase image;
	Way way = Way::kRead;
};

std::string read_name(const testing::TestParamInfo<ReadCase> &info)
{
	return case_name(info.param.image) + "_" + way_name(info.param.way);
}

/// One image and another one of the same contents in a domain.
class FaultyRead : public FaultTest,
		   public testing::WithParamInterface<ReadCase> {
      protected:
	void SetUp() override
	{
		FaultTest::SetUp();
		need({GetParam().image.image}, GetParam().image.via);
		if (IsSkipped())
			return;
		mount_.emplace(mount_case(GetParam().image));
		other_.emplace(mount_other_than(GetParam().image));
		fd_ = open_file(mount_->at(kFaultFile), O_RDONLY);
	}
	void TearDown() override
	{
		fd_.reset();
		other_.reset();
		mount_.reset();
		FaultTest::TearDown();
	}

	[[nodiscard]] const UniqueFd &fd() const
	{
		return fd_;
	}
	/// Expects that the file can be read now and that the other image then
	/// has it in the cache.
	void expect_readable() const
	{
		const std::string other = other_->at(kFaultFile);

		EXPECT_EQ(read_checked(fd_), 0);
		EXPECT_EQ(resident_pages(other), total_pages(other));
		EXPECT_EQ(difference(other, fault_file()), "");
	}

      private:
	std::optional<Mount> mount_;
	std::optional<Mount> other_;
	UniqueFd fd_;
};

/// Brings the pages of a file into the cache through a mapping. Returns the
/// errno; EFAULT where touching the page would raise SIGBUS.
int populate(void *address)
{
	return madvise(address, fault_file().size, MADV_POPULATE_READ) == 0
		       ? 0
		       : errno;
}

class PopulatedMap {
      public:
	explicit PopulatedMap(const UniqueFd &fd)
	    : address_(mmap(nullptr, fault_file().size, PROT_READ, MAP_SHARED,
			    fd.get(), 0))
	{
		if (address_ == MAP_FAILED)
			throw_errno("mmap");
	}
	PopulatedMap(const PopulatedMap &) = delete;
	PopulatedMap &operator=(const PopulatedMap &) = delete;
	PopulatedMap(PopulatedMap &&) = delete;
	PopulatedMap &operator=(PopulatedMap &&) = delete;
	~PopulatedMap()
	{
		munmap(address_, fault_file().size);
	}
	/// Reads all of it with @fault. Returns the errno.
	int populate_with(NthFault &fault)
	{
		const int error =
			fault.during([&] { return populate(address_); });

		if (error != 0) {
			EXPECT_EQ(populate(address_), 0) << "without a fault";
		}
		EXPECT_EQ(
			difference(std::span(static_cast<std::byte *>(address_),
					     fault_file().size),
				   fault_file()),
			"");
		return error;
	}

      private:
	void *address_;
};

/// Reads @fd in @way with @fault. Returns the errno.
int read_with(NthFault &fault, const UniqueFd &fd, Way way)
{
	switch (way) {
	case Way::kRead:
	case Way::kSinglePages:
		return fault.during([&] { return read_checked(fd); });
	case Way::kReadahead:
		return fault.during([&] {
			return readahead(fd.get(), 0, fault_file().size) == 0
				       ? 0
				       : errno;
		});
	case Way::kMap:
		break;
	}
	return PopulatedMap(fd).populate_with(fault);
}

TEST_P(FaultyRead, IsRightOrFailsAndTheNextOneIsRight)
{
	const FaultInjection faults(FaultKind::kMemory);
	const Way way = GetParam().way;

	EXPECT_EQ(posix_fadvise(fd().get(), 0, 0,
				way == Way::kSinglePages ? POSIX_FADV_RANDOM
							 : POSIX_FADV_NORMAL),
		  0);
	expect_readable();
	const FaultTally tally = fail_each([&](NthFault &fault) {
		drop_pages();
		const int error = read_with(fault, fd(), way);

		expect_readable();
		return error;
	});
	EXPECT_THAT(tally, OnlyFailsWith(errors({ENOMEM, EIO, EFAULT})));
	record(way_name(way), tally);
}

std::vector<ReadCase> read_cases(const std::vector<FaultCase> &images,
				 const std::vector<Way> &ways)
{
	std::vector<ReadCase> cases;

	for (const FaultCase &image : images)
		for (const Way way : ways)
			cases.push_back({image, way});
	return cases;
}

INSTANTIATE_TEST_SUITE_P(Slice, FaultyRead,
			 testing::ValuesIn(read_cases({{"4k-inline"},
						       {"4k-blob"},
						       {"4k-lz4"},
						       {"4k-zstd"},
						       {"4k-fragments"},
						       {"4k-plain",
							Via::kFile}},
						      {Way::kRead})),
			 read_name);

INSTANTIATE_TEST_SUITE_P(
	SliceWays, FaultyRead,
	testing::ValuesIn(read_cases({{"4k-inline"}, {"4k-lz4"}},
				     {Way::kSinglePages, Way::kMap})),
	read_name);

INSTANTIATE_TEST_SUITE_P(
	Rest, FaultyRead,
	testing::ValuesIn(read_cases({{"4k-plain"},
				      {"4k-chunk64k"},
				      {"4k-lzma"},
				      {"4k-deflate"},
				      {"4k-big64k"},
				      {"4k-big1m"},
				      {"4k-ztailpacking"},
				      {"4k-allfragments"},
				      {"4k-dedupe"},
				      {"512-inline"},
				      {"512-lz4"},
				      {"4k-inline", Via::kFile},
				      {"4k-zstd", Via::kFile},
				      {"4k-inline", Via::kLoop}},
				     {Way::kRead, Way::kMap})),
	read_name);

INSTANTIATE_TEST_SUITE_P(RestWays, FaultyRead,
			 testing::ValuesIn(read_cases({{"4k-inline"},
						       {"4k-blob"},
						       {"4k-lz4"},
						       {"4k-zstd"},
						       {"4k-fragments"}},
						      {Way::kReadahead})),
			 read_name);

} // namespace
} // namespace erofs_share
