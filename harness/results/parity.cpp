// SPDX-License-Identifier: GPL-2.0-only
// Comparison of what users saw in two runs or in two modes.
#include "results/parity.h"

#include <map>

namespace erofs_share {

namespace {

constexpr const char *kNothing = "nothing";

/// What there is to compare of a test, by name.
using View = std::map<std::string, std::string>;

bool ran(const TestResult *result)
{
	return result != nullptr && result->outcome != Outcome::kSkipped;
}

/// Whether the test says that two modules need not agree on it.
bool exempt(const TestResult *result)
{
	return result != nullptr && result->properties.count("parity") != 0 &&
	       result->properties.at("parity") == "none";
}

std::string outcome_name(const TestResult &result)
{
	if (result.outcome == Outcome::kPassed)
		return "passed";
	if (result.outcome == Outcome::kSkipped)
		return "skipped";
	switch (result.failure) {
	case Failure::kCrash:
		return "crashed";
	case Failure::kHang:
		return "hung";
	default:
		return "failed";
	}
}

View view_of(const TestResult *result)
{
	static const std::string kPrefix = "observed_";
	View view;

	if (result == nullptr)
		return view;
	view["outcome"] = outcome_name(*result);
	for (const auto &[name, value] : result->properties)
		if (name.rfind(kPrefix, 0) == 0)
			view[name.substr(kPrefix.size())] = value;
	return view;
}

std::string value_of(const View &view, const std::string &name)
{
	const auto found = view.find(name);

	return found == view.end() ? kNothing : "'" + found->second + "'";
}

/// Compares one test; prints what differs under @title.
void compare(const std::string &title, const TestResult *first,
	     const char *first_name, const TestResult *second,
	     const char *second_name, ParityCount &count, std::ostream &out)
{
	const View a = view_of(first);
	const View b = view_of(second);
	View all = a;
	bool different = false;

	all.insert(b.begin(), b.end());
	for (const auto &[name, unused] : all) {
		if (name != "outcome")
			count.observations++;
		if (value_of(a, name) == value_of(b, name))
			continue;
		if (!different)
			out << title << '\n';
		different = true;
		out << "    " << name << ": " << value_of(a, name) << ' '
		    << first_name << ", " << value_of(b, name) << ' '
		    << second_name << '\n';
	}
	(different ? count.different : count.equal)++;
}

/// The name of the shared variant of the plain variant @test; "" if it is none.
std::string shared_variant(const std::string &test)
{
	static const std::string kPlain = "/plain";
	const std::size_t at = test.rfind(kPlain);

	if (at == std::string::npos ||
	    test.find('/', at + 1) != std::string::npos)
		return "";
	return test.substr(0, at) + "/shared" + test.substr(at + kPlain.size());
}

} // namespace

ParityCount print_parity(const Report &stock, const Report &ours,
			 std::ostream &out)
{
	ParityCount count;

	for (const std::string &test : stock.plan())
		if (ran(stock.result(test)) && !exempt(stock.result(test)))
			compare("FAILED parity of " + test, stock.result(test),
				"on the distribution's module",
				ours.result(test), "on ours", count, out);
	return count;
}

ParityCount print_modes(const Report &report, std::ostream &out)
{
	ParityCount count;

	for (const std::string &test : report.plan()) {
		const TestResult *plain = report.result(test);
		const TestResult *shared = report.result(shared_variant(test));

		if (ran(plain) && ran(shared))
			compare(test, plain, "without sharing", shared,
				"with sharing", count, out);
	}
	return count;
}

} // namespace erofs_share
