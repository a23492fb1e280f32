// SPDX-License-Identifier: GPL-2.0-only
// Memory control groups.
#include "machine/cgroup.h"

#include "base/error.h"
#include "base/fd.h"

#include <atomic>
#include <fcntl.h>
#include <iostream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr const char *kRoot = "/sys/fs/cgroup";

} // namespace

Cgroup::Cgroup()
{
	static std::atomic<int> number;

	write_text(std::string(kRoot) + "/cgroup.subtree_control", "+memory");
	path_ = std::string(kRoot) + "/erofs-share-" + std::to_string(number++);
	if (mkdir(path_.c_str(), 0755) != 0)
		throw_errno("mkdir " + path_);
}

Cgroup::~Cgroup()
{
	if (rmdir(path_.c_str()) != 0)
		std::cerr << "rmdir " << path_ << ": "
			  << std::generic_category().message(errno) << '\n';
}

void Cgroup::enter() const
{
	write_text(path_ + "/cgroup.procs", "0");
}

int Cgroup::set(const std::string &name, const std::string &value) const
{
	const UniqueFd fd = open_file(path_ + "/" + name, O_WRONLY);

	return write(fd.get(), value.data(), value.size()) < 0 ? errno : 0;
}

std::uint64_t Cgroup::charged() const
{
	return std::stoull(read_text(path_ + "/memory.current"));
}

std::uint64_t Cgroup::events(const std::string &event) const
{
	std::istringstream lines(read_text(path_ + "/memory.events"));
	std::string name;
	std::uint64_t count = 0;

	while (lines >> name >> count)
		if (name == event)
			return count;
	throw_error(ENOENT, event + " in " + path_ + "/memory.events");
}

} // namespace erofs_share
