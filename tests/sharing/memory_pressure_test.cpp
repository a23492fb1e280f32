// SPDX-License-Identifier: GPL-2.0-only
// Shared pages are charged, limited and reclaimed as all page cache is, and
// come back right.
#include "base/child.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "machine/cgroup.h"
#include "support/fixture.h"

#include <csignal>
#include <cstring>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

namespace erofs_share {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kLimit = 24 * kMiB;

const FileSpec &big_file()
{
	return find_tree("dup-a").file("dup64m");
}

class MemoryPressure : public ShareTest {
      protected:
	/// Runs @body in a child process within @group and expects it to
	/// return "".
	static void in_group(const Cgroup &group,
			     const std::function<std::string()> &body)
	{
		EXPECT_EQ(run_in_child([&] {
				  group.enter();
				  return body();
			  }),
			  "");
	}
	/// Reads the big file of @mount in a child process within @group.
	static void read_in_group(const Cgroup &group, const Mount &mount)
	{
		in_group(group, [&] {
			read_through(mount.at("dup64m"));
			return "";
		});
	}
};

TEST_F(MemoryPressure, ReadingMoreThanTheCgroupLimitSucceedsAndStaysWithinIt)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const Cgroup group;

	ASSERT_EQ(group.set("memory.max", std::to_string(kLimit)), 0);
	in_group(group, [&] { return difference(a.at("dup64m"), big_file()); });
	EXPECT_GT(group.events("max"), 0U);
	EXPECT_EQ(group.events("oom_kill"), 0U);
	EXPECT_LE(resident_pages(a.at("dup64m")) * 4096, kLimit);
	EXPECT_EQ(difference(b.at("dup64m"), big_file()), "");
}

TEST_F(MemoryPressure, SharedPagesAreChargedToTheCgroupThatReadThem)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const Cgroup first;
	const Cgroup second;

	read_in_group(first, a);
	EXPECT_GT(first.charged(), 60 * kMiB);
	read_in_group(second, b);
	EXPECT_LT(second.charged(), 4 * kMiB);
}

TEST_F(MemoryPressure, PagesOutliveTheCgroupThatReadThem)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	{
		const Cgroup group;
		read_in_group(group, a);
	}
	EXPECT_EQ(resident_pages(b.at("dup64m")), kBigPages);
	EXPECT_EQ(difference(b.at("dup64m"), big_file()), "");
}

TEST_F(MemoryPressure, ReclaimOfACgroupTakesSharedPagesAndTheyComeBackRight)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const Cgroup group;

	read_in_group(group, a);
	const int error = group.set("memory.reclaim", "56M");
	if (error == ENOENT)
		GTEST_SKIP() << "this kernel has no memory.reclaim";
	EXPECT_LE(resident_pages(b.at("dup64m")), kBigPages / 4);
	EXPECT_EQ(difference(b.at("dup64m"), big_file()), "");
	EXPECT_EQ(difference(a.at("dup64m"), big_file()), "");
}

TEST_F(MemoryPressure, MappingReadsItsPagesAgainAfterReclaim)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const MappedFile mapped(b.at("dup64m"), MAP_SHARED);
	const Cgroup group;

	ASSERT_EQ(group.set("memory.max", std::to_string(kLimit)), 0);
	in_group(group, [&] {
		const MappedFile own(a.at("dup64m"), MAP_SHARED);

		return difference(own.bytes(), big_file());
	});
	EXPECT_EQ(group.events("oom_kill"), 0U);
	EXPECT_EQ(difference(mapped.bytes(), big_file()), "");
}

/// Whether at most a quarter of the pages of @path are cached.
bool mostly_reclaimed(const std::string &path)
{
	return resident_pages(path) <= kBigPages / 4;
}

/// Takes memory until @path is mostly reclaimed or @most bytes are taken.
void squeeze(const std::string &path, std::uint64_t most)
{
	constexpr std::size_t kStep = 32 * kMiB;

	for (std::uint64_t taken = 0; taken < most; taken += kStep) {
		if (mostly_reclaimed(path))
			return;
		void *memory = mmap(nullptr, kStep, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return;
		// Huge pages are quicker, where there are any.
		madvise(memory, kStep, MADV_HUGEPAGE);
		std::memset(memory, 1, kStep);
	}
}

TEST_F(MemoryPressure, GlobalReclaimTakesSharedPagesAndTheyComeBackRight)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const auto memory =
		static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
		static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));

	read_through(a.at("dup64m"));
	Child glutton([&] {
		// Should it come to that, this process is the one to go.
		write_text("/proc/self/oom_score_adj", "1000");
		squeeze(a.at("dup64m"), memory);
		return 0;
	});
	// A kernel that is slow to reclaim may kill it: the pages still went.
	EXPECT_THAT(glutton.wait(), testing::AnyOf(0, 128 + SIGKILL));
	EXPECT_PRED1(mostly_reclaimed, b.at("dup64m"));
	EXPECT_EQ(difference(b.at("dup64m"), big_file()), "");
	EXPECT_EQ(difference(a.at("dup64m"), big_file()), "");
}

} // namespace
} // namespace erofs_share
