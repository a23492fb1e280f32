// SPDX-License-Identifier: GPL-2.0-only
// The part of a report that is about injected faults.
#include "results/report.h"

#include <algorithm>
#include <iomanip>

namespace erofs_share {

namespace {

/// What the tests of one path recorded.
struct Row {
	unsigned long injected = 0;
	unsigned long errors = 0;
	unsigned long survived = 0;

	Row &operator+=(const Row &other)
	{
		injected += other.injected;
		errors += other.errors;
		survived += other.survived;
		return *this;
	}
};

unsigned long number(const TestResult &result, const std::string &name)
{
	const auto found = result.properties.find(name);

	return found == result.properties.end() ? 0 : std::stoul(found->second);
}

void print_row(std::ostream &out, const std::string &path, const Row &row)
{
	out << std::left << std::setw(18) << path << std::right << std::setw(10)
	    << row.injected << std::setw(15) << row.errors << std::setw(12)
	    << row.survived << "\n";
}

} // namespace

void Report::print_faults(std::ostream &out) const
{
	std::map<std::string, Row> rows;
	Row all;

	for (const auto &[test, result] : results_) {
		const auto path = result.properties.find("faults_path");
		if (path == result.properties.end())
			continue;

		const Row row = {number(result, "faults_injected"),
				 number(result, "faults_errors"),
				 number(result, "faults_survived")};
		rows[path->second] += row;
		all += row;
	}
	if (rows.empty())
		return;

	out << std::left << std::setw(18) << "path" << std::right
	    << std::setw(10) << "faults" << std::setw(15) << "clean errors"
	    << std::setw(12) << "went on"
	    << "\n";
	for (const auto &[path, row] : rows)
		print_row(out, path, row);
	out << "faults injected: " << all.injected << " in "
	    << all.errors + all.survived << " operations, of which "
	    << all.errors << " came back with an error and " << all.survived
	    << " went on without what was refused\n";
}

} // namespace erofs_share
