// SPDX-License-Identifier: GPL-2.0-only
// Forking, waiting, and running a program of an image.
#include "base/child.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/pipe.h"

#include <array>
#include <csignal>
#include <exception>
#include <span>
#include <sys/wait.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// All that is written to @pipe until the last writer is gone.
std::string drain(Pipe &pipe)
{
	std::array<char, 4096> part{};
	std::string text;

	pipe.input.reset();
	for (;;) {
		const ssize_t got =
			read(pipe.output.get(), part.data(), part.size());

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			throw_errno("read from a child process");
		if (got == 0)
			return text;
		text.append(part.data(), static_cast<std::size_t>(got));
	}
}

} // namespace

Child::Child(const std::function<int()> &body) : pid_(fork())
{
	if (pid_ < 0)
		throw_errno("fork");
	if (pid_ > 0)
		return;
	int status = 127;
	try {
		status = body();
	} catch (...) {
		status = 127;
	}
	// Nothing of the parent's may run here: no destructors, no flushing.
	_exit(status);
}

Child::~Child()
{
	if (pid_ < 0)
		return;
	kill(pid_, SIGKILL);
	waitpid(pid_, nullptr, 0);
}

int Child::wait()
{
	int status = 0;

	while (waitpid(pid_, &status, 0) < 0)
		if (errno != EINTR)
			throw_errno("waitpid");
	pid_ = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

std::string run_in_child(const std::function<std::string()> &body)
{
	Pipe pipe;
	Child child([&] {
		std::string text;

		try {
			text = body();
		} catch (const std::exception &error) {
			text = error.what();
		}
		write_all(pipe.input.get(), std::as_bytes(std::span(text)),
			  "the pipe to the parent");
		return 0;
	});
	std::string text = drain(pipe);
	const int status = child.wait();

	if (status != 0)
		text += "ended with status " + std::to_string(status);
	return text;
}

ProgramResult run_program(const std::string &root,
			  const std::vector<std::string> &argv, Capture capture)
{
	Pipe pipe;
	std::vector<char *> arguments;

	// Made before the fork: the child of a threaded process must not
	// allocate.
	arguments.reserve(argv.size() + 1);
	for (const std::string &argument : argv)
		arguments.push_back(const_cast<char *>(argument.c_str()));
	arguments.push_back(nullptr);

	Child child([&] {
		// Only root may chroot(2), also to where it is.
		if ((root == "/" || chroot(root.c_str()) == 0) &&
		    chdir("/") == 0 &&
		    (capture == Capture::kNone ||
		     dup2(pipe.input.get(), STDOUT_FILENO) >= 0) &&
		    (capture != Capture::kAll ||
		     dup2(pipe.input.get(), STDERR_FILENO) >= 0))
			execv(arguments[0], arguments.data());
		return 127;
	});
	ProgramResult result;

	result.output = drain(pipe);
	result.status = child.wait();
	return result;
}

} // namespace erofs_share
