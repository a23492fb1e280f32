// SPDX-License-Identifier: GPL-2.0-only
// fsopen(2), fspick(2), fsconfig(2), fsmount(2) and move_mount(2).
#include "os/fs_context.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/mount.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace erofs_share {

std::string MountOutcome::text() const
{
	std::string all =
		error == 0
			? std::string("no error")
			: call + ": " + std::generic_category().message(error);

	for (const std::string &line : log)
		all += "; " + line;
	return all;
}

FsContext::FsContext(int fd, const std::string &call) : fd_(fd)
{
	step(call, fd);
}

FsContext FsContext::open()
{
	return {fsopen("erofs", FSOPEN_CLOEXEC), "fsopen erofs"};
}

FsContext FsContext::pick(const std::string &target)
{
	return {fspick(AT_FDCWD, target.c_str(),
		       FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT),
		"fspick " + target};
}

bool FsContext::step(const std::string &call, int result)
{
	if (result >= 0)
		return true;
	// What failed first is why the rest cannot work.
	if (outcome_.error == 0) {
		outcome_.error = errno;
		outcome_.call = call;
	}
	return false;
}

bool FsContext::set_string(const std::string &key, const char *value)
{
	return step("fsconfig " + key, fsconfig(fd_.get(), FSCONFIG_SET_STRING,
						key.c_str(), value, 0));
}

bool FsContext::set_flag(const std::string &key)
{
	return step("fsconfig " + key, fsconfig(fd_.get(), FSCONFIG_SET_FLAG,
						key.c_str(), nullptr, 0));
}

bool FsContext::set_option(const std::string &option)
{
	const std::size_t equals = option.find('=');

	if (equals == std::string::npos)
		return set_flag(option);
	return set_string(option.substr(0, equals),
			  option.c_str() + equals + 1);
}

bool FsContext::create()
{
	return step("fsconfig create", fsconfig(fd_.get(), FSCONFIG_CMD_CREATE,
						nullptr, nullptr, 0));
}

bool FsContext::reconfigure()
{
	return step("fsconfig reconfigure",
		    fsconfig(fd_.get(), FSCONFIG_CMD_RECONFIGURE, nullptr,
			     nullptr, 0));
}

UniqueFd FsContext::make_mount(unsigned int attributes)
{
	UniqueFd tree(fsmount(fd_.get(), FSMOUNT_CLOEXEC, attributes));

	step("fsmount", tree.get());
	return tree;
}

bool FsContext::attach(const UniqueFd &tree, const std::string &target)
{
	return step("move_mount " + target,
		    move_mount(tree.get(), "", AT_FDCWD, target.c_str(),
			       MOVE_MOUNT_F_EMPTY_PATH));
}

bool FsContext::attach(const UniqueFd &tree, const UniqueFd &target)
{
	return step("move_mount", move_mount(tree.get(), "", target.get(), "",
					     MOVE_MOUNT_F_EMPTY_PATH |
						     MOVE_MOUNT_T_EMPTY_PATH));
}

void FsContext::read_log(std::vector<std::string> &log) const
{
	std::array<char, 8192> line{};

	for (;;) {
		const ssize_t got = read(fd_.get(), line.data(), line.size());

		if (got <= 0)
			break;
		std::string text(line.data(), static_cast<std::size_t>(got));
		while (!text.empty() && text.back() == '\n')
			text.pop_back();
		log.push_back(std::move(text));
	}
}

int FsContext::forgive(std::vector<std::string> &log)
{
	read_log(log);
	outcome_.call.clear();
	return std::exchange(outcome_.error, 0);
}

MountOutcome FsContext::finish()
{
	read_log(outcome_.log);
	return outcome_;
}

} // namespace erofs_share
