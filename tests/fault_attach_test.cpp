// SPDX-License-Identifier: GPL-2.0-only
// The first open of a file when memory runs out: it fails as any open may, or
// the file is read, shared or not, and the next open attaches it.
#include "fault_fixture.h"

#include "fd.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>

namespace erofs_share {
namespace {

/// How often each fault is made.
constexpr int kPasses = 4;

struct AttachCase {
	FaultCase image;
	bool found = false; ///< another image has read the file already
};

std::string attach_name(const testing::TestParamInfo<AttachCase> &info)
{
	return case_name(info.param.image) +
	       (info.param.found ? "_found" : "_made");
}

class FaultyAttach : public FaultTest,
		     public testing::WithParamInterface<AttachCase> {
      protected:
	void SetUp() override
	{
		FaultTest::SetUp();
		need({GetParam().image.image}, GetParam().image.via);
	}
	/// Opens the file with @fault in mounts of a domain of their own.
	/// Returns the errno, and counts in unshared_ what did not attach.
	int open_with(NthFault &fault);
	/// Makes each allocation in @range fail: an open that is without memory
	/// may fail, and the next is shared. Recorded as @path.
	void expect_shared_next(const std::string &path,
				const CodeRange &range);

	/// How many opens did not attach.
	unsigned int unshared_ = 0;
};

/// Pages of kFaultFile that are cached where the open file @fd reads them.
std::uint64_t cached_pages(const UniqueFd &fd)
{
	return cachestat_pages(fd).value_or(0);
}

int FaultyAttach::open_with(NthFault &fault)
{
	const MountOptions options = MountOptions::sharing(DomainId::random());
	const FaultCase &which = GetParam().image;
	const Mount member = mount_image(images().find(which.image == "4k-plain"
							       ? "4k-inline"
							       : "4k-plain"),
					 Via::kDisk, options);
	const Mount mount =
		mount_image(images().find(which.image), which.via, options);
	const std::string path = mount.at(kFaultFile);
	UniqueFd fd;

	if (GetParam().found)
		read_through(member.at(kFaultFile));
	const int error = fault.during([&] {
		fd = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
		return fd.valid() ? 0 : errno;
	});

	if (fd.valid()) {
		EXPECT_EQ(read_checked(fd), 0);
	}
	const UniqueFd next = open_file(path, O_RDONLY);
	EXPECT_EQ(read_checked(next), 0);
	// Whatever became of the first open, this one reads the one copy.
	const UniqueFd theirs = open_file(member.at(kFaultFile), O_RDONLY);
	EXPECT_EQ(cached_pages(theirs), total_pages(path));
	EXPECT_EQ(cached_pages(next), total_pages(path));
	EXPECT_EQ(posix_fadvise(theirs.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
	EXPECT_EQ(cached_pages(next), 0U) << "the second open is not shared";
	if (fd.valid() && cached_pages(fd) != 0)
		unshared_++;
	return error;
}

void FaultyAttach::expect_shared_next(const std::string &path,
				      const CodeRange &range)
{
	const FaultInjection faults(FaultKind::kMemory, range);
	const FaultTally tally =
		fail_each([&](NthFault &fault) { return open_with(fault); });

	EXPECT_THAT(tally, OnlyFailsWith(errors({ENOMEM})));
	record(path, tally);
}

TEST_P(FaultyAttach, FailsOrReadsAndTheNextOpenShares)
{
	expect_shared_next("attach", CodeRange::of_module("erofs"));
}

TEST_P(FaultyAttach, NeedsNoMemoryToReadUnshared)
{
	// What looking the file up allocates differs from one mount to the
	// next, and a series that counts it too may end before this.
	const FaultInjection faults(
		FaultKind::kMemory,
		CodeRange::of_function("erofs", "erofs_share_open"));
	FaultTally tally;

	// A lost key can only be found by kmemleak, which takes whatever looks
	// like a pointer for one: what is lost once may be hidden by a stale
	// word somewhere.
	for (int pass = 0; pass < kPasses; pass++) {
		unshared_ = 0;
		tally = fail_each(
			[&](NthFault &fault) { return open_with(fault); });
		EXPECT_THAT(tally, OnlyFailsWith(errors({})));
		EXPECT_GT(unshared_, 0U);
	}
	record("attach alone", tally);
}

/// All that open(2) allocates fails, not only erofs' part.
class FaultyOpen : public FaultyAttach {};

TEST_P(FaultyOpen, FailsOrReadsAndTheNextOpenShares)
{
	expect_shared_next("open", CodeRange::all());
}

INSTANTIATE_TEST_SUITE_P(Slice, FaultyAttach,
			 testing::Values(AttachCase{{"4k-inline"}, false},
					 AttachCase{{"4k-inline"}, true},
					 AttachCase{{"4k-zstd"}, false},
					 AttachCase{{"4k-lz4", Via::kFile},
						    true}),
			 attach_name);

INSTANTIATE_TEST_SUITE_P(Rest, FaultyAttach,
			 testing::Values(AttachCase{{"4k-fragments"}, false},
					 AttachCase{{"4k-blob"}, false},
					 AttachCase{{"4k-inline", Via::kFile},
						    false}),
			 attach_name);

INSTANTIATE_TEST_SUITE_P(Rest, FaultyOpen,
			 testing::Values(AttachCase{{"4k-inline"}, false},
					 AttachCase{{"4k-fragments"}, true}),
			 attach_name);

} // namespace
} // namespace erofs_share
