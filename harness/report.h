// SPDX-License-Identifier: GPL-2.0-only
// What the guests' records say about the tests, on the host: results by test,
// also for tests in which a guest died, as a table and as GoogleTest XML.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace erofs_share {

enum class Outcome { kPassed, kFailed, kSkipped };

/// The result of one test.
struct TestResult {
	Outcome outcome = Outcome::kFailed;
	std::string text; ///< why it failed or was skipped
	double seconds = 0;
};

/// All that several guests said about one list of tests.
class Report {
      public:
	/// Reads the guest directories @guests in the order of their boots.
	/// Each holds "records", and "console.log" for the excerpt when the
	/// guest died. A test that began and has no end is failed. Throws.
	explicit Report(const std::vector<std::string> &guests);

	/// Planned tests, "Suite.Name", that have no result yet, in order.
	[[nodiscard]] std::vector<std::string> remaining() const;
	/// Gives each remaining test the result "failed" for @reason.
	void fail_remaining(const std::string &reason);
	/// How many tests came out as @outcome.
	[[nodiscard]] std::size_t count(Outcome outcome) const;

	/// For a person: failures with their text, skipped tests by reason, and
	/// a table by suite.
	void print_table(std::ostream &out) const;
	/// GoogleTest's XML form.
	void print_xml(std::ostream &out) const;

      private:
	void read_guest(const std::string &directory);
	/// The tests in planned order, by suite.
	[[nodiscard]] std::vector<
		std::pair<std::string, std::vector<std::string>>>
	suites() const;

	std::vector<std::string> plan_;
	std::map<std::string, TestResult> results_;
};

} // namespace erofs_share
