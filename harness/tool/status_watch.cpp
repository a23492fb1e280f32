// SPDX-License-Identifier: GPL-2.0-only
// Escape sequences that every terminal since the VT100 knows.
#include "tool/status_watch.h"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr const char *kHome = "\033[H";
constexpr const char *kClearLine = "\033[K";
constexpr const char *kClearBelow = "\033[J";

/// The first @columns characters of @line, which is UTF-8.
std::string cut_line(const std::string &line, std::size_t columns)
{
	std::size_t characters = 0;

	for (std::size_t at = 0; at < line.size(); at++) {
		const bool starts =
			(static_cast<unsigned char>(line[at]) & 0xc0) != 0x80;

		if (starts && characters++ == columns)
			return line.substr(0, at);
	}
	return line;
}

} // namespace

ScreenSize screen_size()
{
	winsize size{};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
	    size.ws_col == 0)
		return {};
	return {size.ws_row, size.ws_col};
}

std::string screen_of(const std::string &text, const ScreenSize &size)
{
	std::string screen = kHome;
	std::size_t rows = 0;

	for (std::size_t at = 0; at < text.size() && rows < size.rows; rows++) {
		const std::size_t end =
			std::min(text.find('\n', at), text.size());

		screen += rows == 0 ? "" : "\r\n";
		screen += cut_line(text.substr(at, end - at), size.columns);
		screen += kClearLine;
		at = end + 1;
	}
	return screen + kClearBelow;
}

} // namespace erofs_share
