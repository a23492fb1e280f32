// SPDX-License-Identifier: GPL-2.0-only
// Promises of several implementations side by side.
#include "results/compare.h"

#include "results/gtest_text.h"

#include <algorithm>
#include <iomanip>
#include <regex>

namespace erofs_share {

namespace {

/// The verdicts that break a promise, with what a user would call them.
constexpr std::pair<Verdict, const char *> kBroken[] = {
	{Verdict::kCrash, "crash the kernel"},
	{Verdict::kHang, "hang"},
	{Verdict::kComplaint, "make the kernel complain"},
	{Verdict::kFail, "fail"},
	{Verdict::kLost, "were not run"},
	{Verdict::kMissing, "are not tested"},
};

bool keeps(Verdict verdict)
{
	return verdict == Verdict::kPass || verdict == Verdict::kNotApplicable;
}

Verdict verdict_of(const TestResult &result)
{
	if (result.outcome == Outcome::kPassed)
		return Verdict::kPass;
	if (result.outcome == Outcome::kSkipped)
		return Verdict::kNotApplicable;
	switch (result.failure) {
	case Failure::kCrash:
		return Verdict::kCrash;
	case Failure::kHang:
		return Verdict::kHang;
	case Failure::kComplaint:
		return Verdict::kComplaint;
	case Failure::kLost:
		return Verdict::kLost;
	default:
		return Verdict::kFail;
	}
}

std::string reason_of(const TestResult &result)
{
	switch (verdict_of(result)) {
	case Verdict::kPass:
		return "";
	case Verdict::kFail:
		return short_reason(result.text);
	case Verdict::kNotApplicable:
		return result.text.substr(0, result.text.find('\n'));
	default:
		return result.complaint;
	}
}

/// Adds the result of one more test of the promise to its cell.
void add(Cell &cell, const TestResult &result)
{
	const Verdict verdict = verdict_of(result);

	if (verdict != Verdict::kNotApplicable)
		cell.tests++;
	else if (result.text.rfind("known difference", 0) == 0)
		cell.difference = reason_of(result);
	if (!keeps(verdict))
		cell.bad++;
	if (verdict > cell.verdict) {
		cell.verdict = verdict;
		cell.reason = reason_of(result);
		cell.worst = 0;
	}
	if (verdict == cell.verdict)
		cell.worst++;
}

/// @cell in words. @quote encloses what a program said.
std::string text_of(const Cell &cell, const std::string &quote,
		    std::size_t length)
{
	const std::string reason = quote + cut(cell.reason, length) + quote;
	std::string text;

	switch (cell.verdict) {
	case Verdict::kPass:
		return cell.difference.empty()
			       ? "pass"
			       : "pass but for a " + cell.difference;
	case Verdict::kMissing:
		return "not tested";
	case Verdict::kNotApplicable:
		return "n/a: " + cell.reason;
	case Verdict::kLost:
		text = "not run";
		break;
	case Verdict::kHang:
		text = "hangs";
		break;
	case Verdict::kCrash:
		text = "crash: " + reason;
		break;
	case Verdict::kComplaint:
		text = "complaint: " + reason;
		break;
	case Verdict::kFail:
		text = "fail: " + reason;
		break;
	}
	if (cell.worst < cell.tests) {
		text += " (" + std::to_string(cell.worst) + " of " +
			std::to_string(cell.tests);
		if (cell.bad > cell.worst)
			text += "; " + std::to_string(cell.bad - cell.worst) +
				" more do not hold";
		text += ")";
	}
	return text;
}

/// @text for a cell of a Markdown table.
std::string escape(const std::string &text)
{
	return std::regex_replace(text, std::regex("\\|"), "\\|");
}

/// The part of "Suite.Name" after the suite.
std::string name_of(const std::string &promise)
{
	return promise.substr(suite_of(promise).size() + 1);
}

/// The package a kernel is from, out of what uname -v says of it.
std::string package_of(const std::string &version)
{
	static const std::regex kDebian(R"(Debian (\S+) \(([0-9-]+)\))");
	std::smatch match;

	return std::regex_search(version, match, kDebian)
		       ? ", package " + match.str(1) + " of " + match.str(2)
		       : "";
}

} // namespace

Comparison::Comparison(std::vector<Side> sides) : sides_(std::move(sides))
{
	std::vector<std::string> suites;

	for (std::size_t side = 0; side < sides_.size(); side++) {
		Report &report = sides_[side].report;

		report.fail_remaining();
		for (const std::string &test : report.plan()) {
			const std::string promise = promise_of(test);
			const std::string suite = suite_of(promise);
			auto row = std::find_if(
				rows_.begin(), rows_.end(), [&](const Row &r) {
					return r.promise == promise;
				});

			if (row == rows_.end())
				row = rows_.insert(
					row, {promise, std::vector<Cell>(
							       sides_.size())});
			if (std::find(suites.begin(), suites.end(), suite) ==
			    suites.end())
				suites.push_back(suite);
			add(row->cells[side], *report.result(test));
		}
	}
	// A suite's promises stand together.
	const auto place = [&](const Row &row) {
		return std::find(suites.begin(), suites.end(),
				 suite_of(row.promise));
	};
	std::stable_sort(rows_.begin(), rows_.end(),
			 [&](const Row &a, const Row &b) {
				 return place(a) < place(b);
			 });
}

std::size_t Comparison::count(std::size_t side, Verdict verdict) const
{
	return static_cast<std::size_t>(
		std::count_if(rows_.begin(), rows_.end(), [&](const Row &row) {
			return row.cells[side].verdict == verdict;
		}));
}

bool Comparison::first_side_holds() const
{
	return !rows_.empty() &&
	       std::all_of(rows_.begin(), rows_.end(),
			   [](const Row &row) {
				   return keeps(row.cells[0].verdict);
			   }) &&
	       !sides_[0].report.complained_outside();
}

void Comparison::print_counts(std::ostream &out) const
{
	out << rows_.size() << " promises.";
	for (std::size_t side = 0; side < sides_.size(); side++) {
		const std::size_t idle = count(side, Verdict::kNotApplicable);
		std::string separator = ": ";

		out << " On " << sides_[side].name << " "
		    << count(side, Verdict::kPass) << " of "
		    << rows_.size() - idle << " hold";
		for (const auto &[verdict, words] : kBroken) {
			if (count(side, verdict) == 0)
				continue;
			out << separator << count(side, verdict) << ' '
			    << words;
			separator = ", ";
		}
		if (idle > 0)
			out << " (" << idle << " do not apply)";
		out << '.';
		if (sides_[side].report.complained_outside())
			out << " Its kernel complained outside of any test.";
	}
	out << '\n';
}

void Comparison::print_text(std::ostream &out) const
{
	constexpr std::size_t kReason = 90;
	std::vector<std::size_t> widths(sides_.size() + 1, 7);
	std::string suite;

	for (const Row &row : rows_) {
		widths[0] = std::max(widths[0],
				     sentence(name_of(row.promise)).size() + 2);
		for (std::size_t side = 0; side < sides_.size(); side++)
			widths[side + 1] = std::max(
				{widths[side + 1], sides_[side].name.size(),
				 text_of(row.cells[side], "", kReason).size()});
	}
	// Nothing stands after the last column.
	widths.back() = 0;

	const auto print = [&](std::size_t column, const std::string &text) {
		out << (column > 0 ? "  " : "") << std::left
		    << std::setw(static_cast<int>(widths[column])) << text;
	};
	print(0, "promise");
	for (std::size_t side = 0; side < sides_.size(); side++)
		print(side + 1, sides_[side].name);
	out << '\n';
	for (const Row &row : rows_) {
		if (suite_of(row.promise) != suite) {
			suite = suite_of(row.promise);
			out << sentence(suite) << '\n';
		}
		print(0, "  " + sentence(name_of(row.promise)));
		for (std::size_t side = 0; side < sides_.size(); side++)
			print(side + 1, text_of(row.cells[side], "", kReason));
		out << '\n';
	}
	out << '\n';
	print_counts(out);
}

void Comparison::print_markdown(std::ostream &out) const
{
	constexpr std::size_t kReason = 120;
	std::string suite;

	for (const Side &side : sides_)
		out << "- " << side.name << ": Linux " << side.report.kernel()
		    << package_of(side.report.kernel_version()) << '\n';
	out << '\n';
	print_counts(out);
	for (const Row &row : rows_) {
		if (suite_of(row.promise) != suite) {
			suite = suite_of(row.promise);
			out << "\n## " << sentence(suite) << "\n\n| promise |";
			for (const Side &side : sides_)
				out << ' ' << side.name << " |";
			out << "\n|---|";
			for (std::size_t i = 0; i < sides_.size(); i++)
				out << "---|";
			out << '\n';
		}
		out << "| " << sentence(name_of(row.promise)) << " |";
		for (const Cell &cell : row.cells)
			out << ' ' << escape(text_of(cell, "`", kReason))
			    << " |";
		out << '\n';
	}
	for (std::size_t side = 0; side < sides_.size(); side++) {
		for (const auto &[verdict, words] : kBroken) {
			if (count(side, verdict) == 0)
				continue;
			out << "\n## Promises that " << words << " on "
			    << sides_[side].name << "\n\n";
			for (const Row &row : rows_)
				if (row.cells[side].verdict == verdict)
					out << "- "
					    << sentence(suite_of(row.promise))
					    << ": "
					    << sentence(name_of(row.promise))
					    << '\n';
		}
	}
}

} // namespace erofs_share
