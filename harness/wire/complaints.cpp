// SPDX-License-Identifier: GPL-2.0-only
// Matching lines of a kernel log with complaints.txt.
#include "wire/complaints.h"

#include <regex>
#include <sstream>

namespace erofs_share {

namespace {

/// The text of complaints.txt, which CMake puts here.
constexpr const char *kList =
#include "complaints.inc"
	;

/// All expressions of kList in one.
std::regex any_complaint()
{
	std::istringstream lines(kList);
	std::string all;

	for (std::string line; std::getline(lines, line);) {
		if (line.empty() || line.front() == '#')
			continue;
		if (!all.empty())
			all += '|';
		all += line;
	}
	return std::regex(all, std::regex::extended | std::regex::optimize);
}

} // namespace

bool is_complaint(const std::string &line)
{
	static const std::regex kComplaint = any_complaint();

	return std::regex_search(line, kComplaint);
}

} // namespace erofs_share
