// SPDX-License-Identifier: GPL-2.0-only
// Excerpts of a guest's console.
#include "results/console.h"

#include "base/fd.h"
#include "wire/complaints.h"

#include <deque>
#include <filesystem>
#include <regex>
#include <sstream>
#include <vector>

namespace erofs_share {

namespace {

constexpr std::size_t kExcerpt = 30;

/// The lines of @path from the start of the last test on (all, when no test
/// was started), without what a serial line puts at their ends.
std::vector<std::string> lines_of(const std::string &path)
{
	std::vector<std::string> lines;

	if (!std::filesystem::exists(path))
		return lines;
	std::istringstream text(read_text(path));
	for (std::string line; std::getline(text, line);) {
		while (!line.empty() && line.back() == '\r')
			line.pop_back();
		if (line.rfind("[ RUN ", 0) == 0)
			lines.clear();
		lines.push_back(line);
	}
	return lines;
}

/// The name of the function in "function+0x1/0x2", "" if there is none.
std::string function_in(const std::string &text)
{
	static const std::regex kFunction(R"(([\w.]+)\+0x[0-9a-f]+/0x)");
	std::smatch match;

	return std::regex_search(text, match, kFunction) ? match.str(1) : "";
}

} // namespace

std::string console_excerpt(const std::string &path)
{
	std::deque<std::string> kept;
	bool complained = false;

	for (const std::string &line : lines_of(path)) {
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

std::string console_complaint(const std::string &path)
{
	static const std::regex kTime(R"(^\[ *[0-9]+\.[0-9]+\] ?)");
	std::string complaint;
	std::string at;
	std::string caller;

	for (const std::string &raw : lines_of(path)) {
		const std::string line = std::regex_replace(raw, kTime, "");

		if (complaint.empty()) {
			if (is_complaint(line))
				complaint = stable_complaint(line);
			continue;
		}
		// A second one is another trace.
		if (line.find("end trace") != std::string::npos)
			break;
		if (at.empty() && line.rfind("RIP: ", 0) == 0)
			at = function_in(line);
		// "?": an old address on the stack, not a caller.
		else if (caller.empty() &&
			 line.find("[erofs]") != std::string::npos &&
			 line.find("? ") == std::string::npos)
			caller = function_in(line);
	}
	if (!at.empty() && complaint.find(at) == std::string::npos)
		complaint += " in " + at;
	if (!caller.empty() && complaint.find(caller) == std::string::npos)
		complaint += " from " + caller;
	return complaint;
}

std::string stable_complaint(const std::string &line)
{
	static const std::regex kVolatile(
		R"((, | at )?address:? [0-9a-fx]+|CPU: \d+ |[UP]ID: \d+ |)"
		R"(, CPU#\d+: \S+|\+0x[0-9a-f]+/0x[0-9a-f]+|0x[0-9a-f]+|\b[0-9a-f]{16}\b)");
	static const std::regex kSpaces(" +");

	return std::regex_replace(std::regex_replace(line, kVolatile, ""),
				  kSpaces, " ");
}

} // namespace erofs_share
