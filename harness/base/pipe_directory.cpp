// SPDX-License-Identifier: GPL-2.0-only
// Named pipes in a directory that goes in any case.
#include "base/pipe_directory.h"

#include "base/error.h"
#include "base/quote.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr unsigned int kMostPipes = 64;

/// What the remover does: waits until nobody has the other end of @pipe. There
/// are only names that this program gave.
int remove_when_unused(int pipe, const std::string &outer,
		       const std::string &inner)
{
	char byte = 0;

	for (const int signal : kSignals)
		std::signal(signal, SIG_IGN);
	// Whoever waits for the end of the program's output does not wait for
	// this.
	if (dup2(pipe, 0) != 0 || close_range(1, ~0U, 0) != 0)
		return 1;
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	for (unsigned int i = 0; i < kMostPipes; i++)
		unlink((inner + "/" + PipeDirectory::name(i)).c_str());
	const bool gone = rmdir(inner.c_str()) == 0 || errno == ENOENT;
	return rmdir(outer.c_str()) == 0 && gone ? 0 : 1;
}

/// Holds signals back for as long as it lives.
class HeldSignals {
      public:
	HeldSignals()
	{
		sigset_t held;

		sigemptyset(&held);
		for (const int signal : kSignals)
			sigaddset(&held, signal);
		pthread_sigmask(SIG_BLOCK, &held, &before_);
	}
	HeldSignals(const HeldSignals &) = delete;
	HeldSignals &operator=(const HeldSignals &) = delete;
	~HeldSignals()
	{
		pthread_sigmask(SIG_SETMASK, &before_, nullptr);
	}

      private:
	sigset_t before_{};
};

/// Makes the directory @inner, and in it @count pipes for the user @writer.
void make_pipes(const std::string &inner, unsigned int count,
		unsigned int writer)
{
	if (mkdir(inner.c_str(), 0711) != 0 || chmod(inner.c_str(), 0711) != 0)
		throw_errno("make a directory " + quote_name(inner));
	for (unsigned int i = 0; i < count; i++) {
		const std::string pipe_path =
			inner + "/" + PipeDirectory::name(i);

		if (mkfifo(pipe_path.c_str(), 0600) != 0 ||
		    (writer != geteuid() &&
		     chown(pipe_path.c_str(), writer, ~0U) != 0))
			throw_errno("make the pipe " + quote_name(pipe_path));
	}
}

} // namespace

PipeDirectory::PipeDirectory(unsigned int count, unsigned int writer)
{
	const char *base = std::getenv("TMPDIR");
	std::array<int, 2> ends{};

	if (count > kMostPipes)
		throw_error(EINVAL, "too many pipes");
	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe2");
	const UniqueFd pipe(ends[0]);
	alive_ = UniqueFd(ends[1]);
	outer_ = std::filesystem::absolute(
			 base != nullptr && *base != '\0' ? base : "/var/tmp")
			 .string() +
		 "/erofs-share.XXXXXX";
	{
		const HeldSignals held;

		if (mkdtemp(outer_.data()) == nullptr)
			throw_errno("make a directory " + quote_name(outer_) +
				    "; set TMPDIR to one that can be written");
		inner_ = outer_ + "/pipes";
		try {
			remover_.emplace([&] {
				return remove_when_unused(ends[0], outer_,
							  inner_);
			});
		} catch (...) {
			rmdir(outer_.c_str());
			throw;
		}
	}
	try {
		make_pipes(inner_, count, writer);
	} catch (...) {
		// Else it would be ended before it has removed anything.
		alive_.reset();
		remover_->wait();
		throw;
	}
}

PipeDirectory::~PipeDirectory()
{
	try {
		remove();
	} catch (const std::system_error &) {
		// Who wants to know calls remove().
	}
}

std::string PipeDirectory::name(unsigned int number)
{
	return "pipe" + std::to_string(number);
}

UniqueFd PipeDirectory::open(unsigned int number) const
{
	return open_file(inner_ + "/" + name(number), O_RDONLY | O_NONBLOCK);
}

void PipeDirectory::remove()
{
	if (!remover_)
		return;
	alive_.reset();
	const int status = remover_->wait();
	remover_.reset();
	if (status != 0)
		throw_error(ENOTEMPTY,
			    quote_name(outer_) +
				    ": this directory cannot be removed; look "
				    "what is in it, and remove it");
}

} // namespace erofs_share
