// SPDX-License-Identifier: GPL-2.0-only
// Mount tables and the kernel log.
#include "base/proc.h"

#include "base/error.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sstream>
#include <string_view>
#include <unistd.h>

namespace erofs_share {

namespace {

/// One line of /proc/self/mounts.
struct MountLine {
	std::string device, target, type, options;
};

std::vector<MountLine> mount_table()
{
	std::istringstream lines(read_text("/proc/self/mounts"));
	std::vector<MountLine> table;

	for (std::string line; std::getline(lines, line);) {
		std::istringstream fields(line);
		MountLine entry;

		fields >> entry.device >> entry.target >> entry.type >>
			entry.options;
		table.push_back(std::move(entry));
	}
	return table;
}

} // namespace

std::vector<std::string> shown_options(const std::string &target)
{
	std::vector<std::string> options;

	// The last mount on a directory is the one that is seen.
	for (const MountLine &entry : mount_table()) {
		if (entry.target != target)
			continue;
		options.clear();
		std::istringstream list(entry.options);
		for (std::string option; std::getline(list, option, ',');)
			options.push_back(option);
	}
	return options;
}

std::vector<std::string> erofs_mounts()
{
	std::vector<std::string> targets;

	for (const MountLine &entry : mount_table())
		if (entry.type == "erofs")
			targets.push_back(entry.target);
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

} // namespace erofs_share
