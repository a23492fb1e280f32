// SPDX-License-Identifier: GPL-2.0-only
// What the guests' records say about the tests, on the host: results by test,
// also for tests in which a guest died, as a table and as GoogleTest XML.
#pragma once

#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace erofs_share {

enum class Outcome { kPassed, kFailed, kSkipped };

/// How a test failed.
enum class Failure {
	kNone,
	kCheck,	    ///< it saw what it should not see
	kComplaint, ///< the kernel complained while it ran, and lived
	kHang,	    ///< it did not end, or its guest fell silent
	kCrash,	    ///< the kernel died
	kLost,	    ///< no guest came to run it
};

/// The result of one test.
struct TestResult {
	Outcome outcome = Outcome::kFailed;
	Failure failure = Failure::kNone;
	std::string text;      ///< why it failed or was skipped
	std::string complaint; ///< the kernel's first, in the same words always
	double seconds = 0;
	/// What it recorded of itself (RecordProperty).
	std::map<std::string, std::string> properties;
};

/// The directories of the guests of one run of the suite, "guest-N" in the
/// directory @run, in the order of their boots. Throws if there is none.
std::vector<std::string> guest_directories(const std::string &run);

/// "Suite" of the test "Suite.Name".
std::string suite_of(const std::string &test);

/// All that the guests of one run said about one list of tests.
class Report {
      public:
	/// Reads guest_directories(@run). Each holds "records", and
	/// "console.log" for the excerpt when the guest died. A test that
	/// began and has no end is failed. Throws.
	explicit Report(const std::string &run);

	/// Planned tests, "Suite.Name", in order.
	[[nodiscard]] const std::vector<std::string> &plan() const
	{
		return plan_;
	}
	/// The result of @test; nullptr if it has none. Ours to keep.
	[[nodiscard]] const TestResult *result(const std::string &test) const;
	/// Planned tests that have no result yet, in order.
	[[nodiscard]] std::vector<std::string> remaining() const;
	/// Gives each remaining test the result "failed", as kLost.
	void fail_remaining();
	/// How many tests came out as @outcome.
	[[nodiscard]] std::size_t count(Outcome outcome) const;
	/// Whether a kernel complained and no test failed of it.
	[[nodiscard]] bool complained_outside() const
	{
		return complained_ && count(Outcome::kFailed) == 0;
	}
	/// The kernel's release (uname -r), "" if no guest told it.
	[[nodiscard]] const std::string &kernel() const
	{
		return kernel_;
	}
	/// How it was built (uname -v).
	[[nodiscard]] const std::string &kernel_version() const
	{
		return kernel_version_;
	}

	/// For a person: failures with their text, skipped tests by reason, and
	/// a table by suite.
	void print_table(std::ostream &out) const;
	/// How many faults the tests injected and what came of them, by path,
	/// as they recorded it (see tests/support/fault_fixture.h); nothing if none
	/// did. In report_faults.cpp.
	void print_faults(std::ostream &out) const;
	/// GoogleTest's XML form; in report_xml.cpp.
	void print_xml(std::ostream &out) const;

      private:
	void read_guest(const std::string &directory);
	void add_to_plan(const std::vector<std::string> &tests);
	/// The tests in planned order, by suite.
	[[nodiscard]] std::vector<
		std::pair<std::string, std::vector<std::string>>>
	suites() const;

	std::vector<std::string> plan_;
	std::set<std::string> planned_;
	std::map<std::string, TestResult> results_;
	std::string kernel_;
	std::string kernel_version_;
	bool complained_ = false;
};

} // namespace erofs_share
