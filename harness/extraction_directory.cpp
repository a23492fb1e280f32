// SPDX-License-Identifier: GPL-2.0-only
// A directory for what is extracted of an image, which goes in any case.
#include "extraction_directory.h"

#include "error.h"
#include "quote.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace erofs_share {

namespace fs = std::filesystem;

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

/// Adds to the modes below @path what its owner needs to read and remove.
void open_up(const fs::path &path)
{
	std::error_code ignored;

	fs::permissions(path, fs::perms::owner_all, fs::perm_options::add,
			ignored);
	// A directory is listed when it can be, so on the way down.
	for (auto at = fs::recursive_directory_iterator(path, ignored);
	     at != fs::recursive_directory_iterator(); at.increment(ignored))
		if (const fs::file_status status = at->symlink_status(ignored);
		    fs::is_directory(status) || fs::is_regular_file(status))
			fs::permissions(at->path(), fs::perms::owner_all,
					fs::perm_options::add, ignored);
}

/// What the remover does: waits until nobody has the other end of @pipe.
int remove_when_unused(int pipe, const std::string &path)
{
	char byte = 0;
	std::error_code ignored;

	for (const int signal : kSignals)
		std::signal(signal, SIG_IGN);
	// Whoever waits for the end of the program's output does not wait for
	// this.
	if (dup2(pipe, 0) != 0 || close_range(1, ~0U, 0) != 0)
		return 1;
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	open_up(path);
	fs::remove_all(path, ignored);
	return 0;
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

} // namespace

ExtractionDirectory::ExtractionDirectory()
{
	const char *base = std::getenv("TMPDIR");
	std::array<int, 2> ends{};

	// Programs that are started inherit the end that tells of their life.
	if (pipe(ends.data()) != 0)
		throw_errno("pipe");
	const UniqueFd pipe(ends[0]);
	alive_ = UniqueFd(ends[1]);
	path_ = fs::absolute(base != nullptr && *base != '\0' ? base
							      : "/var/tmp")
			.string() +
		"/erofs-share.XXXXXX";
	const HeldSignals held;
	if (mkdtemp(path_.data()) == nullptr)
		throw_errno("make a directory " + quote_name(path_) +
			    " to extract an image to; set TMPDIR to one with "
			    "space");
	try {
		remover_.emplace(
			[&] { return remove_when_unused(ends[0], path_); });
	} catch (...) {
		rmdir(path_.c_str());
		throw;
	}
}

ExtractionDirectory::~ExtractionDirectory()
{
	alive_.reset();
	try {
		remover_->wait();
	} catch (const std::system_error &) {
		// It removes the directory all the same.
	}
}

void ExtractionDirectory::make_readable() const
{
	open_up(path_);
}

} // namespace erofs_share
