// SPDX-License-Identifier: GPL-2.0-only
// setns(2), and a /proc that does not change with it.
#include "helper/target_namespace.h"

#include "helper/mount_failure.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

namespace erofs_share {

TargetNamespace::TargetNamespace(const std::string &path) : path_(path)
{
	// A FIFO must not make us wait.
	if (!path.empty())
		space_ = open_file(path, O_RDONLY | O_NONBLOCK);
}

void TargetNamespace::enter() const
{
	if (!space_.valid() || setns(space_.get(), CLONE_NEWNS) == 0)
		return;
	throw MountFailure(
		MountStatus::kSystem,
		path_ + ": " + std::generic_category().message(errno) +
			(errno == EINVAL ? "; expected a mount namespace, "
					   "such as /proc/PID/ns/mnt"
					 : ""));
}

OwnProcess::OwnProcess()
    : directory_(open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC))
{
	struct statfs info {};

	if (directory_.valid() && (fstatfs(directory_.get(), &info) != 0 ||
				   info.f_type != PROC_SUPER_MAGIC))
		directory_.reset();
}

std::string OwnProcess::mounts() const
{
	const UniqueFd file(directory_.valid()
				    ? openat(directory_.get(), "mountinfo",
					     O_RDONLY | O_CLOEXEC)
				    : -1);
	std::array<char, 16384> buffer{};
	std::string text;

	while (file.valid()) {
		const ssize_t got =
			read(file.get(), buffer.data(), buffer.size());

		if (got <= 0)
			break;
		text.append(buffer.data(), static_cast<std::size_t>(got));
	}
	return text;
}

} // namespace erofs_share
