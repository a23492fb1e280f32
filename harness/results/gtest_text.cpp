// SPDX-License-Identifier: GPL-2.0-only
// Words for names and failures.
#include "results/gtest_text.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <regex>
#include <sstream>
#include <vector>

namespace erofs_share {

namespace {

bool is_upper(char c)
{
	return std::isupper(static_cast<unsigned char>(c)) != 0;
}

bool is_lower(char c)
{
	return std::islower(static_cast<unsigned char>(c)) != 0;
}

bool is_digit(char c)
{
	return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::string upper(const std::string &text)
{
	std::string out = text;

	std::transform(out.begin(), out.end(), out.begin(),
		       [](unsigned char c) {
			       return static_cast<char>(std::toupper(c));
		       });
	return out;
}

bool is_errno_name(const std::string &word)
{
	for (int error = 1; error < 134; error++) {
		const char *name = strerrorname_np(error);

		if (name != nullptr && word == name)
			return true;
	}
	return false;
}

/// @value as an errno's name when @expression yields an errno.
std::string named(const std::string &expression, const std::string &value)
{
	const bool yields_errno =
		expression.find("error") != std::string::npos ||
		expression.find("unmount(") != std::string::npos ||
		expression.find("_module(") != std::string::npos;

	if (!yields_errno || value.empty() || value.size() > 3 ||
	    !std::all_of(value.begin(), value.end(), is_digit))
		return value;
	const char *name = strerrorname_np(std::stoi(value));

	return value == "0" || name == nullptr ? value : name;
}

std::string trimmed(const std::string &line)
{
	const std::size_t start = line.find_first_not_of(' ');

	return start == std::string::npos ? "" : line.substr(start);
}

/// The rest of the first of @lines that begins with @label; "" without one.
std::string labelled(const std::vector<std::string> &lines,
		     const std::string &label)
{
	for (const std::string &line : lines)
		if (trimmed(line).rfind(label, 0) == 0)
			return trimmed(line).substr(label.size());
	return "";
}

/// The lines of the first failure in @text, without file and line.
std::vector<std::string> first_failure(const std::string &text)
{
	static const std::regex kPlace(R"(^\w+\.(cpp|h):\d+: )");
	std::istringstream all(text);
	std::vector<std::string> lines;

	for (std::string line; std::getline(all, line);) {
		if (std::regex_search(line, kPlace)) {
			if (!lines.empty())
				break;
			line = std::regex_replace(line, kPlace, "");
		}
		if (!line.empty())
			lines.push_back(line);
	}
	return lines;
}

/// "A is 1, not 2" from the lines that EXPECT_EQ prints: two expressions, each
/// followed by its value where that is not the expression itself.
std::string inequality(const std::vector<std::string> &lines)
{
	static const std::string kValue = "Which is: ";
	std::vector<std::pair<std::string, std::string>> sides;

	for (std::size_t i = 1; i < lines.size(); i++) {
		const std::string line = trimmed(lines[i]);

		if (line.rfind(kValue, 0) == 0 && !sides.empty())
			sides.back().second = line.substr(kValue.size());
		else if (sides.size() < 2 && lines[i].rfind("  ", 0) == 0)
			sides.emplace_back(line, line);
	}
	if (sides.size() < 2)
		return lines.front();
	const auto &[expression, value] = sides[0];
	return expression + " is " + named(expression, value) + ", not " +
	       named(expression, sides[1].second);
}

} // namespace

std::string promise_of(const std::string &test)
{
	const std::size_t dot = test.find('.');
	const std::size_t prefix = test.rfind('/', dot);
	const std::size_t start = prefix == std::string::npos ? 0 : prefix + 1;
	const std::size_t parameters =
		dot == std::string::npos ? dot : test.find('/', dot);

	return test.substr(start, parameters == std::string::npos
					  ? parameters
					  : parameters - start);
}

std::string sentence(const std::string &name)
{
	std::vector<std::string> words;

	for (std::size_t i = 0; i < name.size(); i++) {
		const bool starts =
			i == 0 ||
			(is_upper(name[i]) && !is_upper(name[i - 1])) ||
			(is_upper(name[i]) && i + 1 < name.size() &&
			 is_lower(name[i + 1])) ||
			(is_digit(name[i]) && !is_digit(name[i - 1]));

		if (starts)
			words.emplace_back();
		words.back() += name[i];
	}

	std::string text;
	for (std::string word : words) {
		const bool acronym =
			word.size() > 1 &&
			std::none_of(word.begin(), word.end(), is_lower);

		if (is_errno_name(upper(word)))
			word = upper(word);
		else if (word == "Io")
			word = "I/O";
		else if (!text.empty() && !acronym)
			word[0] = static_cast<char>(std::tolower(
				static_cast<unsigned char>(word[0])));
		text += (text.empty() ? "" : " ") + word;
	}
	return text;
}

std::string short_reason(const std::string &text)
{
	static const std::regex kMeasured(", actual: .*");
	static const std::regex kTemporary(
		"(/mnt/(?:erofs|helper)-)[A-Za-z0-9]{6}");
	static const std::regex kType(R"( \(of type [^)]*\).*)");
	static const std::regex kThrown(
		R"re(C\+\+ exception with description "(.*)" thrown in .*)re");
	const std::vector<std::string> lines = first_failure(text);
	std::string reason = lines.empty() ? "" : lines.front();

	if (reason.rfind("Expected equality", 0) == 0) {
		reason = inequality(lines);
	} else if (reason.rfind("Value of: ", 0) == 0) {
		const std::string actual = std::regex_replace(
			labelled(lines, "Actual: "), kType, "");

		reason = labelled(lines, "Value of: ") + " is " + actual +
			 ", expected: " + labelled(lines, "Expected: ");
	} else if (reason.rfind("Expected: ", 0) == 0) {
		reason = "not so: " +
			 std::regex_replace(reason.substr(10), kMeasured, "");
	} else {
		reason = std::regex_replace(reason, kThrown, "$1");
	}
	return std::regex_replace(reason, kTemporary, "$1*");
}

std::string cut(const std::string &text, std::size_t length)
{
	return text.size() <= length ? text
				     : text.substr(0, length - 3) + "...";
}

} // namespace erofs_share
