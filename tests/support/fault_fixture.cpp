// SPDX-License-Identifier: GPL-2.0-only
// What tests of injected faults stand on.
#include "support/fault_fixture.h"

#include "base/error.h"
#include "base/fd.h"
#include "machine/kmemleak.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

/// Whether no test of injected faults comes after the running one. A search for
/// lost memory takes longer than most of them, so there is one for all.
bool last_fault_test()
{
	const testing::UnitTest &unit = *testing::UnitTest::GetInstance();
	const testing::TestInfo *last = nullptr;

	for (int i = 0; i < unit.total_test_suite_count(); i++) {
		const testing::TestSuite &suite = *unit.GetTestSuite(i);

		if (std::string(suite.name()).find("Faulty") ==
		    std::string::npos)
			continue;
		for (int j = 0; j < suite.total_test_count(); j++)
			if (suite.GetTestInfo(j)->should_run())
				last = suite.GetTestInfo(j);
	}
	return last == unit.current_test_info();
}

/// kmemleak's reports of what a function of erofs has allocated.
std::string lost_by_erofs()
{
	constexpr const char *kBegin = "unreferenced object";
	std::istringstream lines(kmemleak_scan() + kBegin + "\n");
	std::string found;
	std::string report;

	for (std::string line; std::getline(lines, line);) {
		if (line.starts_with(kBegin)) {
			if (report.find("[erofs]") != std::string::npos)
				found += report;
			report.clear();
		}
		report += line + "\n";
	}
	return found;
}

/// Objects of erofs' own slab caches that are in use, as "name: number"; those
/// that were only just freed do not count.
std::vector<std::string> objects_in_use()
{
	namespace fs = std::filesystem;
	std::vector<std::string> found;

	for (const auto &cache : fs::directory_iterator("/sys/kernel/slab")) {
		const std::string name = cache.path().filename().string();
		if (!name.starts_with("erofs_") || cache.is_symlink())
			continue;
		// KASAN holds back what is freed until it is told to let go.
		write_text(cache.path().string() + "/shrink", "1");
		const std::string objects =
			read_text(cache.path().string() + "/objects");
		if (!objects.starts_with("0"))
			found.push_back(
				std::string(name).append(": ").append(objects));
	}
	return found;
}

/// objects_in_use(), after those that RCU holds back were given time to go.
std::vector<std::string> objects_that_stay()
{
	constexpr int kTries = 50;
	std::vector<std::string> found;

	for (int i = 0; i < kTries; i++) {
		found = objects_in_use();
		if (found.empty())
			break;
		std::this_thread::sleep_for(std::chrono::milliseconds(100));
	}
	return found;
}

} // namespace

std::string case_name(const FaultCase &which)
{
	return parameter_name(which.image) + "_" + via_name(which.via);
}

std::set<std::string> held_by_erofs()
{
	std::set<std::string> held;

	for (const auto &entry :
	     std::filesystem::directory_iterator("/sys/class/bdi"))
		held.insert("bdi " + entry.path().filename().string());
	held.insert("module references " +
		    read_text("/sys/module/erofs/refcnt"));
	return held;
}

void FaultTest::SetUp()
{
	ShareTest::SetUp();
	if (IsSkipped())
		return;
	if (!FaultInjection::unavailable().empty())
		GTEST_SKIP() << FaultInjection::unavailable();
	if (!kmemleak_works())
		GTEST_SKIP() << "this kernel has no kmemleak, or it gave up";
	held_ = held_by_erofs();

	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_getaffinity(0, sizeof(cpus_), &cpus_) != 0 ||
	    sched_setaffinity(0, sizeof(one), &one) != 0)
		throw_errno("set the CPU to run on");
}

void FaultTest::TearDown()
{
	ShareTest::TearDown();
	if (!FaultInjection::unavailable().empty() || held_.empty())
		return;
	sched_setaffinity(0, sizeof(cpus_), &cpus_);
	EXPECT_EQ(held_by_erofs(), held_) << "left behind by this test";
	EXPECT_THAT(objects_that_stay(), testing::IsEmpty())
		<< "left behind by this test";
	if (last_fault_test() && !HasFailure()) {
		EXPECT_EQ(lost_by_erofs(), "")
			<< "lost by one of the tests of injected faults";
	}
}

void FaultTest::drop_pages()
{
	drop_caches(Drop::kPages);
	dirty_free_pages();
}

void FaultTest::dirty_free_pages()
{
	// The pages freed last are used first, and few are between.
	dirty_free_memory(std::size_t{1} << 20);
}

Mount FaultTest::mount_other_than(const FaultCase &which)
{
	return mount_shared(which.image == "4k-plain" ? "4k-inline"
						      : "4k-plain");
}

void FaultTest::record(const std::string &path, const FaultTally &tally)
{
	RecordProperty("faults_path", path);
	RecordProperty("faults_injected", std::to_string(tally.injected));
	RecordProperty("faults_errors", std::to_string(tally.errors()));
	RecordProperty("faults_survived", std::to_string(tally.survived()));
	RecordProperty("faults_outcomes", tally.text());
	EXPECT_GT(tally.injected, 0U) << "nothing was made to fail";
}

const FileSpec &fault_file()
{
	static const FileSpec &file = find_tree("facets").file(kFaultFile);

	return file;
}

int read_checked(const UniqueFd &fd)
{
	// Kept, so that a read allocates nothing but what the kernel needs.
	static std::array<std::byte, 65536> buffer{};
	std::size_t done = 0;
	int error = 0;

	while (error == 0 && done < buffer.size()) {
		const ssize_t got =
			pread(fd.get(), buffer.data() + done,
			      buffer.size() - done, static_cast<off_t>(done));
		if (got < 0)
			error = errno;
		else if (got == 0)
			break;
		else
			done += static_cast<std::size_t>(got);
	}
	if (error == 0) {
		EXPECT_EQ(done, fault_file().size);
	}
	EXPECT_EQ(difference(std::span(buffer).first(done), fault_file()), "");
	return error;
}

} // namespace erofs_share
