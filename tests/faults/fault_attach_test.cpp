// SPDX-License-Identifier: GPL-2.0-only
// The first open of a file when memory runs out: it fails as any open may, or
// the file is read, shared or not. One that was opened unshared stays so for
// everybody until its inode is evicted; then the next open attaches it.
#include "support/fault_fixture.h"

#include "base/fd.h"
#include "support/evict_inodes.h"

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
	/// Opens the file with @fault in mounts of a domain of their own, and
	/// checks what the next opens get. Returns the errno, and counts in
	/// unshared_ what did not attach.
	int open_with(NthFault &fault);
	/// Makes each allocation in @range fail: an open that is without memory
	/// may fail. Recorded as @path.
	void fail_opens(const std::string &path, const CodeRange &range);

	/// How many opens did not attach.
	unsigned int unshared_ = 0;
};

/// Whether the open files @one and @other, both of kFaultFile and cached in
/// full, read the same pages. Drops those of @one.
bool same_pages(const UniqueFd &one, const UniqueFd &other)
{
	EXPECT_EQ(read_checked(one), 0);
	EXPECT_EQ(read_checked(other), 0);
	EXPECT_EQ(cachestat_pages(other), (fault_file().size + 4095) / 4096);
	EXPECT_EQ(posix_fadvise(one.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
	return cachestat_pages(other) == 0U;
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

	const UniqueFd theirs = open_file(member.at(kFaultFile), O_RDONLY);
	const bool shared = !fd.valid() || same_pages(theirs, fd);
	{
		const UniqueFd next = open_file(path, O_RDONLY);

		EXPECT_EQ(same_pages(theirs, next), shared)
			<< "the second open is not as the first";
		if (fd.valid()) {
			EXPECT_TRUE(same_pages(fd, next));
		}
	}
	if (!shared)
		unshared_++;
	fd.reset();
	evict_inodes(mount);
	EXPECT_TRUE(same_pages(theirs, open_file(path, O_RDONLY)))
		<< "not shared after its inode was evicted";
	return error;
}

void FaultyAttach::fail_opens(const std::string &path, const CodeRange &range)
{
	const FaultInjection faults(FaultKind::kMemory, range);
	const FaultTally tally =
		fail_each([&](NthFault &fault) { return open_with(fault); });

	EXPECT_THAT(tally, OnlyFailsWith(errors({ENOMEM})));
	record(path, tally);
}

TEST_P(FaultyAttach, FailsOrReadsAndSharesOnceItIsEvicted)
{
	fail_opens("attach", CodeRange::of_module("erofs"));
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

TEST_P(FaultyOpen, FailsOrReadsAndSharesOnceItIsEvicted)
{
	fail_opens("open", CodeRange::all());
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
