// SPDX-License-Identifier: GPL-2.0-only
// A piece of a test that runs in a process of its own.
#include "child.h"

#include "error.h"
#include "fd.h"

#include <array>
#include <csignal>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <span>
#include <sys/wait.h>
#include <unistd.h>

namespace erofs_share {

Child::Child(const std::function<std::string()> &body)
{
	std::array<int, 2> ends{};

	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe2");
	pid_ = fork();
	if (pid_ < 0) {
		const int error = errno;

		close(ends[0]);
		close(ends[1]);
		throw_error(error, "fork");
	}
	if (pid_ == 0) {
		std::string text;

		try {
			text = body();
		} catch (const std::exception &error) {
			text = error.what();
		}
		// The parent reads until the end of the pipe: nothing is lost.
		if (!text.empty())
			write_all(ends[1], std::as_bytes(std::span(text)),
				  "the pipe to the parent");
		// Not exit(): what the parent has registered is not ours to
		// run.
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	output_ = ends[0];
}

Child::~Child()
{
	if (pid_ > 0) {
		kill(pid_, SIGKILL);
		waitpid(pid_, nullptr, 0);
	}
	if (output_ >= 0)
		close(output_);
}

void Child::signal(int signal) const
{
	if (pid_ > 0)
		kill(pid_, signal);
}

std::string Child::wait()
{
	std::array<char, 4096> buffer{};
	std::string text;
	int status = 0;

	for (;;) {
		const ssize_t got = read(output_, buffer.data(), buffer.size());

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		text.append(buffer.data(), static_cast<std::size_t>(got));
	}
	if (waitpid(pid_, &status, 0) < 0)
		throw_errno("waitpid");
	pid_ = -1;
	if (WIFSIGNALED(status))
		text += std::string("ended by ") + strsignal(WTERMSIG(status));
	return text;
}

} // namespace erofs_share
