// SPDX-License-Identifier: GPL-2.0-only
// Following a file of records with inotify.
#include "wire/record_follower.h"

#include "base/error.h"

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace erofs_share {

RecordFollower::RecordFollower(const std::string &directory, pid_t runner)
    : path_(directory + "/records"),
      notify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      runner_(static_cast<int>(syscall(SYS_pidfd_open, runner, 0)))
{
	if (!notify_.valid())
		throw_errno("inotify_init1");
	if (!runner_.valid())
		throw_errno("process " + std::to_string(runner));
	if (inotify_add_watch(notify_.get(), directory.c_str(),
			      IN_MODIFY | IN_CREATE) < 0)
		throw_errno("watch " + directory);
}

std::optional<Record> RecordFollower::next()
{
	for (;;) {
		const std::size_t end = pending_.find('\n');

		if (end != std::string::npos) {
			Record record = Record::parse(pending_.substr(0, end));

			pending_.erase(0, end + 1);
			return record;
		}
		if (read_more())
			continue;
		if (ended_)
			return std::nullopt;
		wait();
	}
}

bool RecordFollower::read_more()
{
	if (!std::filesystem::exists(path_))
		return false;

	const std::string text = read_text(path_);

	if (text.size() < position_) {
		position_ = 0;
		pending_.clear();
	}
	if (text.size() == position_)
		return false;
	pending_ += text.substr(position_);
	position_ = text.size();
	return true;
}

void RecordFollower::wait()
{
	std::array<char, 4096> events{};
	std::array<pollfd, 2> fds = {
		{{notify_.get(), POLLIN, 0}, {runner_.get(), POLLIN, 0}}};

	if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
		throw_errno("poll");
	// What they say does not matter: the file is looked at anyway.
	while (read(notify_.get(), events.data(), events.size()) > 0)
		;
	if (fds[1].revents != 0)
		ended_ = true;
}

} // namespace erofs_share
