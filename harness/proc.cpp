// SPDX-License-Identifier: GPL-2.0-only
// Mount tables and the kernel log.
#include "proc.h"

#include "error.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sstream>
#include <string_view>
#include <unistd.h>

namespace erofs_share {

std::vector<std::string> shown_options(const std::string &target)
{
	std::istringstream lines(read_text("/proc/self/mounts"));
	std::vector<std::string> options;
	std::string line;

	while (std::getline(lines, line)) {
		std::istringstream fields(line);
		std::string device;
		std::string where;
		std::string type;
		std::string text;

		fields >> device >> where >> type >> text;
		if (where != target)
			continue;
		options.clear();
		std::istringstream list(text);
		for (std::string option; std::getline(list, option, ',');)
			options.push_back(option);
	}
	return options;
}

std::vector<std::string> erofs_mounts()
{
	std::istringstream lines(read_text("/proc/self/mounts"));
	std::vector<std::string> targets;
	std::string line;

	while (std::getline(lines, line)) {
		std::istringstream fields(line);
		std::string device;
		std::string where;
		std::string type;

		fields >> device >> where >> type;
		if (type == "erofs")
			targets.push_back(where);
	}
	return targets;
}

KernelLog::KernelLog() : fd_(open_file("/dev/kmsg", O_RDONLY | O_NONBLOCK))
{
	if (lseek(fd_.get(), 0, SEEK_END) < 0)
		throw_errno("seek /dev/kmsg");
}

std::vector<std::string> KernelLog::read_new()
{
	std::array<char, 8192> record{};
	std::vector<std::string> lines;

	for (;;) {
		const ssize_t got =
			read(fd_.get(), record.data(), record.size());

		if (got < 0) {
			// EPIPE: records were overwritten before we read them.
			if (errno == EINTR || errno == EPIPE)
				continue;
			if (errno == EAGAIN)
				return lines;
			throw_errno("read /dev/kmsg");
		}
		// "priority,sequence,time,flags;text\n KEY=value\n..."
		const std::string_view text(record.data(),
					    static_cast<std::size_t>(got));
		const std::size_t start = text.find(';');
		if (start == std::string_view::npos)
			continue;
		const std::size_t end = text.find('\n', start);
		lines.emplace_back(text.substr(start + 1, end - start - 1));
	}
}

bool is_complaint(const std::string &line)
{
	static constexpr std::array<std::string_view, 9> kSigns = {
		"BUG:",
		"WARNING:",
		"KASAN",
		"Oops",
		"general protection",
		"possible circular locking",
		"unreferenced object",
		"ernel panic",
		"Busy inodes after unmount",
	};

	return std::any_of(kSigns.begin(), kSigns.end(),
			   [&](std::string_view sign) {
				   return line.find(sign) != std::string::npos;
			   });
}

} // namespace erofs_share
