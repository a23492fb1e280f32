// SPDX-License-Identifier: GPL-2.0-only
// Results of all tests from the guests' records.
#include "report.h"

#include "fd.h"
#include "proc.h"
#include "record.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iomanip>
#include <sstream>

namespace erofs_share {

namespace {

constexpr std::size_t kExcerpt = 30;

/// The console's lines from shortly before the first complaint on; without a
/// complaint its last lines.
std::string console_excerpt(const std::string &path)
{
	if (!std::filesystem::exists(path))
		return "";

	std::istringstream lines(read_text(path));
	std::deque<std::string> kept;
	bool complained = false;

	for (std::string line; std::getline(lines, line);) {
		while (!line.empty() && line.back() == '\r')
			line.pop_back();
		kept.push_back(line);
		if (complained) {
			if (kept.size() >= kExcerpt)
				break;
		} else if (is_complaint(line)) {
			complained = true;
			while (kept.size() > 4)
				kept.pop_front();
		} else if (kept.size() > kExcerpt / 2) {
			kept.pop_front();
		}
	}

	std::string text;
	for (const std::string &line : kept)
		text += "    | " + line + "\n";
	return text;
}

Outcome outcome_of(const std::string &text)
{
	if (text == "passed")
		return Outcome::kPassed;
	return text == "skipped" ? Outcome::kSkipped : Outcome::kFailed;
}

std::string suite_of(const std::string &test)
{
	return test.substr(0, test.find('.'));
}

/// @text with the characters that mean something in XML replaced, and without
/// those that XML cannot hold.
std::string escape(const std::string &text)
{
	std::string out;

	for (const char c : text) {
		switch (c) {
		case '&':
			out += "&amp;";
			break;
		case '<':
			out += "&lt;";
			break;
		case '>':
			out += "&gt;";
			break;
		case '"':
			out += "&quot;";
			break;
		case '\n':
			out += "&#x0A;";
			break;
		default:
			if (static_cast<unsigned char>(c) >= ' ' || c == '\t')
				out += c;
		}
	}
	return out;
}

} // namespace

Report::Report(const std::vector<std::string> &guests)
{
	for (const std::string &guest : guests)
		read_guest(guest);
}

void Report::read_guest(const std::string &directory)
{
	std::string running;
	double hung_after = 0;

	for (const Record &record : read_records(directory + "/records")) {
		const std::string event = record.at("event");

		if (event == "plan") {
			// Guests after the first are given what remains.
			if (plan_.empty())
				plan_ = record.at("tests")
						.get<std::vector<
							std::string>>();
		} else if (event == "start") {
			running = record.at("test");
		} else if (event == "hung") {
			hung_after = record.at("seconds");
		} else if (event == "finish") {
			results_[record.at("test")] = {
				outcome_of(record.at("outcome")),
				record.at("text"), record.at("seconds")};
			running.clear();
		}
	}
	if (running.empty())
		return;

	std::ostringstream text;

	if (hung_after > 0)
		text << "the test did not end within " << hung_after
		     << " s, and its guest was ended";
	else
		text << "the guest's kernel died in it";
	text << "; " << directory << "/console.log:\n"
	     << console_excerpt(directory + "/console.log");
	results_[running] = {Outcome::kFailed, text.str(), hung_after};
}

std::vector<std::string> Report::remaining() const
{
	std::vector<std::string> tests;

	for (const std::string &test : plan_)
		if (results_.find(test) == results_.end())
			tests.push_back(test);
	return tests;
}

void Report::fail_remaining(const std::string &reason)
{
	for (const std::string &test : remaining())
		results_[test] = {Outcome::kFailed, reason, 0};
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

void Report::print_xml(std::ostream &out) const
{
	out << R"(<?xml version="1.0" encoding="UTF-8"?>)"
	    << "\n"
	    << "<testsuites tests=\"" << plan_.size() << "\" failures=\""
	    << count(Outcome::kFailed) << "\" name=\"AllTests\">\n";
	for (const auto &[suite, tests] : suites()) {
		out << "  <testsuite name=\"" << escape(suite) << "\" tests=\""
		    << tests.size() << "\">\n";
		for (const std::string &test : tests) {
			const auto found = results_.find(test);

			if (found == results_.end())
				continue;
			const TestResult &result = found->second;
			const bool skipped =
				result.outcome == Outcome::kSkipped;
			out << "    <testcase name=\""
			    << escape(test.substr(suite.size() + 1))
			    << "\" classname=\"" << escape(suite)
			    << "\" status=\"run\" result=\""
			    << (skipped ? "skipped" : "completed")
			    << "\" time=\"" << result.seconds << "\"";
			if (result.outcome == Outcome::kPassed) {
				out << " />\n";
				continue;
			}
			out << ">\n      <" << (skipped ? "skipped" : "failure")
			    << " message=\"" << escape(result.text)
			    << "\" />\n    </testcase>\n";
		}
		out << "  </testsuite>\n";
	}
	out << "</testsuites>\n";
}

} // namespace erofs_share
