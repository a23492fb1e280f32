// SPDX-License-Identifier: GPL-2.0-only
// Results of all tests from the guests' records.
#include "results/report.h"

#include "results/console.h"
#include "wire/record.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <sstream>
#include <stdexcept>

namespace erofs_share {

namespace {

Outcome outcome_of(const std::string &text)
{
	if (text == "passed")
		return Outcome::kPassed;
	return text == "skipped" ? Outcome::kSkipped : Outcome::kFailed;
}

/// The result that the record @finish tells.
TestResult result_of(const Record &finish)
{
	TestResult result;

	result.outcome = outcome_of(finish.at("outcome"));
	result.text = finish.at("text");
	result.seconds = finish.at("seconds");
	result.properties = finish.value("properties",
					 std::map<std::string, std::string>());
	if (result.outcome != Outcome::kFailed)
		return result;
	const auto complaints =
		finish.value("complaints", std::vector<std::string>());
	result.failure =
		complaints.empty() ? Failure::kCheck : Failure::kComplaint;
	if (!complaints.empty())
		result.complaint = stable_complaint(complaints.front());
	return result;
}

/// The result of a test that began and did not end: its guest's console tells
/// what became of it. @hung_after: the seconds after which the guest itself
/// gave the test up, 0 if it did not.
TestResult result_without_end(const std::string &console, double hung_after)
{
	std::ostringstream text;
	TestResult result;

	result.complaint = console_complaint(console);
	result.seconds = hung_after;
	if (hung_after > 0) {
		result.failure = Failure::kHang;
		text << "the test did not end within " << hung_after
		     << " s, and its guest was ended";
	} else if (result.complaint.empty()) {
		result.failure = Failure::kHang;
		text << "the guest fell silent in it";
	} else {
		result.failure = Failure::kCrash;
		text << "the guest's kernel died in it";
	}
	text << "; " << console << ":\n" << console_excerpt(console);
	result.text = text.str();
	return result;
}

} // namespace

std::vector<std::string> guest_directories(const std::string &run)
{
	std::vector<std::string> guests;

	for (;;) {
		std::string next =
			run + "/guest-" + std::to_string(guests.size() + 1);

		if (!std::filesystem::is_directory(next))
			break;
		guests.push_back(std::move(next));
	}
	if (guests.empty())
		throw std::runtime_error(run +
					 " holds no guest-1: expected the "
					 "results of scripts/guest/run-suite");
	return guests;
}

std::string suite_of(const std::string &test)
{
	return test.substr(0, test.find('.'));
}

Report::Report(const std::string &run)
{
	for (const std::string &guest : guest_directories(run))
		read_guest(guest);
}

void Report::read_guest(const std::string &directory)
{
	const std::string console = directory + "/console.log";
	std::string running;
	double hung_after = 0;

	if (!console_complaint(console).empty())
		complained_ = true;
	for (const Record &record : read_records(directory + "/records")) {
		const std::string event = record.at("event");

		if (event == "hello") {
			kernel_ = record.at("kernel");
			kernel_version_ = record.value("version", "");
		} else if (event == "plan") {
			add_to_plan(record.at("tests"));
		} else if (event == "start") {
			running = record.at("test");
		} else if (event == "hung") {
			hung_after = record.at("seconds");
		} else if (event == "finish") {
			results_[record.at("test")] = result_of(record);
			running.clear();
		}
	}
	if (!running.empty())
		results_[running] = result_without_end(console, hung_after);
}

void Report::add_to_plan(const std::vector<std::string> &tests)
{
	// Guests that run at once have parts of it, later ones what remains.
	for (const std::string &test : tests)
		if (planned_.insert(test).second)
			plan_.push_back(test);
}

const TestResult *Report::result(const std::string &test) const
{
	const auto found = results_.find(test);

	return found == results_.end() ? nullptr : &found->second;
}

std::vector<std::string> Report::remaining() const
{
	std::vector<std::string> tests;

	for (const std::string &test : plan_)
		if (results_.find(test) == results_.end())
			tests.push_back(test);
	return tests;
}

void Report::fail_remaining()
{
	TestResult lost;

	lost.failure = Failure::kLost;
	lost.text = "the guest ended before this test could run";
	for (const std::string &test : remaining())
		results_[test] = lost;
}

std::size_t Report::count(Outcome outcome) const
{
	return static_cast<std::size_t>(std::count_if(
		results_.begin(), results_.end(), [&](const auto &result) {
			return result.second.outcome == outcome;
		}));
}

std::vector<std::pair<std::string, std::vector<std::string>>>
Report::suites() const
{
	std::vector<std::pair<std::string, std::vector<std::string>>> suites;

	for (const std::string &test : plan_) {
		const std::string suite = suite_of(test);
		const auto found = std::find_if(
			suites.begin(), suites.end(), [&](const auto &entry) {
				return entry.first == suite;
			});

		if (found == suites.end())
			suites.push_back({suite, {test}});
		else
			found->second.push_back(test);
	}
	return suites;
}

void Report::print_table(std::ostream &out) const
{
	std::map<std::string, std::vector<std::string>> skipped;
	std::size_t width = 5;

	for (const std::string &test : plan_) {
		const auto result = results_.find(test);

		if (result == results_.end())
			continue;
		if (result->second.outcome == Outcome::kFailed)
			out << "FAILED " << test << "\n"
			    << result->second.text << "\n";
		if (result->second.outcome == Outcome::kSkipped)
			skipped[result->second.text].push_back(test);
	}
	for (const auto &[reason, tests] : skipped) {
		out << "skipped: " << reason << "\n";
		for (const std::string &test : tests)
			out << "    " << test << "\n";
	}

	const auto all = suites();
	for (const auto &[suite, tests] : all)
		width = std::max(width, suite.size());
	out << std::left << std::setw(static_cast<int>(width)) << "suite"
	    << std::right << std::setw(8) << "tests" << std::setw(8) << "passed"
	    << std::setw(8) << "failed" << std::setw(9) << "skipped"
	    << std::setw(9) << "seconds"
	    << "\n";
	for (const auto &[suite, tests] : all) {
		std::map<Outcome, int> counts;
		double seconds = 0;

		for (const std::string &test : tests) {
			const auto result = results_.find(test);

			if (result == results_.end())
				continue;
			counts[result->second.outcome]++;
			seconds += result->second.seconds;
		}
		out << std::left << std::setw(static_cast<int>(width)) << suite
		    << std::right << std::setw(8) << tests.size()
		    << std::setw(8) << counts[Outcome::kPassed] << std::setw(8)
		    << counts[Outcome::kFailed] << std::setw(9)
		    << counts[Outcome::kSkipped] << std::setw(9) << std::fixed
		    << std::setprecision(1) << seconds << "\n";
	}
}

} // namespace erofs_share
