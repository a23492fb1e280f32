// SPDX-License-Identifier: GPL-2.0-only
// Report's results as GoogleTest XML.
#include "results/report.h"

namespace erofs_share {

namespace {

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
