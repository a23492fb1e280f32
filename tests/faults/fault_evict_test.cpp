// SPDX-License-Identifier: GPL-2.0-only
// Letting go when memory runs out: reclaim, unmounting and the mount table.
// What cannot fail must not need memory of ours, or must go on without.
#include "support/fault_fixture.h"

#include "base/fd.h"
#include "base/proc.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/mount.h>
#include <unistd.h>

namespace erofs_share {
namespace {

/// What is asked of the kernel, in a domain with files that were read.
enum class Step {
	kReclaim,     ///< inodes and pages, by drop_caches
	kUnmount,     ///< of one image of two
	kLastUnmount, ///< of the domain's last image
	kShowOptions, ///< /proc/self/mounts
};

struct EvictCase {
	FaultCase image;
	Step step = Step::kReclaim;
};

std::string step_name(Step step)
{
	switch (step) {
	case Step::kReclaim:
		return "reclaim";
	case Step::kUnmount:
		return "umount";
	case Step::kLastUnmount:
		return "last_umount";
	case Step::kShowOptions:
		break;
	}
	return "options";
}

class FaultyEvict : public FaultTest,
		    public testing::WithParamInterface<EvictCase> {
      protected:
	void SetUp() override
	{
		FaultTest::SetUp();
		need({GetParam().image.image}, GetParam().image.via);
	}
	/// Does the step to fresh mounts with @fault, then expects the mounts
	/// to be sound and undoes them. Returns the errno.
	int step_with(NthFault &fault);
};

/// Runs @step in which @mount's kernel objects go. Returns the errno.
int run_step(Step step, Mount &mount)
{
	switch (step) {
	case Step::kReclaim:
		// Not drop_caches(), whose sync(2) has nothing to do with us.
		write_text("/proc/sys/vm/drop_caches", "3");
		return 0;
	case Step::kUnmount:
	case Step::kLastUnmount:
		return mount.try_unmount();
	case Step::kShowOptions:
		break;
	}
	return shown_options(mount.path()).empty() ? ENOENT : 0;
}

int FaultyEvict::step_with(NthFault &fault)
{
	const Step step = GetParam().step;
	const std::set<std::string> held = held_by_erofs();
	std::optional<Mount> mount = mount_case(GetParam().image);
	std::optional<Mount> other;

	if (step != Step::kLastUnmount)
		other = mount_other_than(GetParam().image);
	read_through(mount->at(kFaultFile));
	const int error = fault.during([&] { return run_step(step, *mount); });

	const bool gone = error == 0 && (step == Step::kUnmount ||
					 step == Step::kLastUnmount);
	if (!gone) {
		EXPECT_TRUE(shows_inode_share(mount->path()));
		EXPECT_EQ(difference(mount->at(kFaultFile), fault_file()), "");
		EXPECT_EQ(mount->try_unmount(), 0) << "without a fault";
	}
	if (other) {
		const std::string path = other->at(kFaultFile);

		if (step != Step::kReclaim) {
			EXPECT_EQ(resident_pages(path), total_pages(path));
		}
		EXPECT_EQ(difference(path, fault_file()), "");
		other->unmount();
	}
	EXPECT_EQ(held_by_erofs(), held);
	return error;
}

TEST_P(FaultyEvict, WorksOrCanBeRepeated)
{
	const FaultInjection faults(FaultKind::kMemory);
	const FaultTally tally =
		fail_each([&](NthFault &fault) { return step_with(fault); });

	EXPECT_THAT(tally, OnlyFailsWith(errors({ENOMEM})));
	record(step_name(GetParam().step), tally);
}

std::vector<EvictCase> evict_cases(const std::vector<FaultCase> &images,
				   const std::vector<Step> &steps)
{
	std::vector<EvictCase> cases;

	for (const FaultCase &image : images)
		for (const Step step : steps)
			cases.push_back({image, step});
	return cases;
}

std::string evict_name(const testing::TestParamInfo<EvictCase> &info)
{
	return case_name(info.param.image) + "_" + step_name(info.param.step);
}

INSTANTIATE_TEST_SUITE_P(Slice, FaultyEvict,
			 testing::ValuesIn(evict_cases(
				 {{"4k-fragments"}},
				 {Step::kReclaim, Step::kUnmount,
				  Step::kLastUnmount, Step::kShowOptions})),
			 evict_name);

INSTANTIATE_TEST_SUITE_P(Rest, FaultyEvict,
			 testing::ValuesIn(evict_cases({{"4k-inline"},
							{"4k-blob"},
							{"4k-zstd"},
							{"4k-lz4", Via::kFile}},
						       {Step::kReclaim,
							Step::kUnmount,
							Step::kLastUnmount})),
			 evict_name);

class FaultyReclaim : public FaultTest {};

TEST_F(FaultyReclaim, NeedsNoMemoryOfErofs)
{
	const FaultInjection faults(FaultKind::kMemory,
				    CodeRange::of_module("erofs"));
	const auto reclaim = [&](NthFault &fault) {
		const Mount mount = mount_case({"4k-fragments"});
		const Mount other = mount_other_than({"4k-fragments"});

		read_through(mount.at(kFaultFile));
		read_through(other.at(kFaultFile));
		return fault.during([] {
			write_text("/proc/sys/vm/drop_caches", "3");
			return 0;
		});
	};
	FaultTally tally = fail_each(reclaim);

	// KASAN enlarges its table of stacks now and then, whoever runs. What
	// erofs needs, it needs each time.
	for (int tries = 0; tries < 3 && tally.injected > 0; tries++)
		tally = fail_each(reclaim);
	EXPECT_EQ(tally.injected, 0U) << tally.text();
}

} // namespace
} // namespace erofs_share
