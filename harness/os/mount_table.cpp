// SPDX-License-Identifier: GPL-2.0-only
// Reading a mount table, field by field.
#include "os/mount_table.h"

#include "base/fd.h"

#include <algorithm>
#include <charconv>

namespace erofs_share {

namespace {

/// The value of the three octal digits that @text starts with; -1 if it does
/// not.
int octal(std::string_view text)
{
	int value = -1;

	if (text.size() < 3)
		return -1;
	const auto [end, error] =
		std::from_chars(text.data(), text.data() + 3, value, 8);
	return error == std::errc() && end == text.data() + 3 ? value : -1;
}

/// mountinfo's text, which has blanks and backslashes as \040.
std::string unescape(std::string_view text)
{
	std::string plain;

	for (std::size_t i = 0; i < text.size(); i++) {
		const int value =
			text[i] == '\\' ? octal(text.substr(i + 1)) : -1;

		plain += value >= 0 ? static_cast<char>(value) : text[i];
		i += value >= 0 ? 3 : 0;
	}
	return plain;
}

/// A field may be empty: one blank ends each.
std::vector<std::string_view> split(std::string_view line)
{
	std::vector<std::string_view> fields;

	for (std::size_t at = 0; at <= line.size();) {
		const std::size_t end =
			std::min(line.find(' ', at), line.size());

		fields.push_back(line.substr(at, end - at));
		at = end + 1;
	}
	return fields;
}

} // namespace

bool MountLine::has_option(std::string_view name) const
{
	for (std::size_t at = 0; at < options.size();) {
		const std::size_t end =
			std::min(options.find(',', at), options.size());
		const std::string_view option =
			std::string_view(options).substr(at, end - at);

		if (option.substr(0, option.find('=')) == name)
			return true;
		at = end + 1;
	}
	return false;
}

std::vector<MountLine> read_mount_table(const std::string &mountinfo)
{
	const std::string text = read_text(mountinfo);
	std::vector<MountLine> table;

	for (std::size_t at = 0; at < text.size();) {
		// id parent device root target options [more...] - type source
		// options-of-the-superblock
		constexpr std::size_t kFirst = 6;
		const std::size_t end =
			std::min(text.find('\n', at), text.size());
		const auto fields =
			split(std::string_view(text).substr(at, end - at));
		MountLine line;

		at = end + 1;
		if (fields.size() < kFirst + 4)
			continue;
		const auto dash =
			std::find(fields.begin() + kFirst, fields.end(), "-");
		if (fields.end() - dash < 4)
			continue;
		std::from_chars(fields[0].data(),
				fields[0].data() + fields[0].size(), line.id);
		line.device = fields[2];
		line.root = unescape(fields[3]);
		line.target = unescape(fields[4]);
		line.type = dash[1];
		line.source = unescape(dash[2]);
		line.options = unescape(dash[3]);
		table.push_back(std::move(line));
	}
	return table;
}

} // namespace erofs_share
