// SPDX-License-Identifier: GPL-2.0-only
// A file that is there when it is complete.
#include "pending_file.h"

#include "error.h"
#include "quote.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// What the remover does: waits for the end of who has the other end of @pipe.
int remove_when_left(int pipe, const std::string &directory)
{
	char byte = 0;
	std::error_code ignored;

	// Whoever waits for the end of the program's output does not wait for
	// this.
	if (dup2(pipe, 0) != 0 || close_range(1, ~0U, 0) != 0)
		return 1;
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	std::filesystem::remove_all(directory, ignored);
	return 0;
}

[[noreturn]] void in_the_way(const std::string &path)
{
	throw_error(EEXIST, quote_name(path) +
				    ": something is there already; remove it, "
				    "or choose another name");
}

/// Gives @from the name @to, unless something has it.
void give_name(const std::string &from, const std::string &to)
{
	if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
		      RENAME_NOREPLACE) == 0)
		return;
	// Not every file system can.
	if (errno == EINVAL && link(from.c_str(), to.c_str()) == 0)
		return;
	if (errno == EEXIST)
		in_the_way(to);
	throw_errno(quote_name(to));
}

/// Opens for reading what @file has open for writing, and closes that. Throws
/// where another process can still write to it: a lease for reading is given
/// only where nobody can.
UniqueFd opened_by_nobody_else(UniqueFd file, const std::string &path)
{
	constexpr int kTries = 50;
	constexpr useconds_t kPause = 20000;
	UniqueFd again = open_file(
		"/proc/self/fd/" + std::to_string(file.get()), O_RDONLY);

	file.reset();
	for (int i = 0; fcntl(again.get(), F_SETLEASE, F_RDLCK) != 0; i++) {
		// Not every file system has leases.
		if (errno != EAGAIN)
			return again;
		if (i == kTries)
			throw_error(ETXTBSY,
				    quote_name(path) +
					    ": mkfs.erofs has ended, and a "
					    "process has its file open for "
					    "writing; look which one, and "
					    "whether it is to be trusted");
		// The remover may not have closed its copy yet.
		usleep(kPause);
	}
	fcntl(again.get(), F_SETLEASE, F_UNLCK);
	return again;
}

} // namespace

PendingFile::PendingFile(std::string path) : target_(std::move(path))
{
	struct stat status {};
	std::array<int, 2> ends{};
	sigset_t held;
	sigset_t before;

	if (lstat(target_.c_str(), &status) == 0)
		in_the_way(target_);
	const std::filesystem::path absolute =
		std::filesystem::absolute(target_);
	directory_ = (absolute.parent_path() / ".erofs-share.XXXXXX").string();
	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe");
	const UniqueFd pipe(ends[0]);
	alive_ = UniqueFd(ends[1]);
	// The remover has these from its beginning, whoever sends them.
	sigemptyset(&held);
	for (const int signal : kSignals)
		sigaddset(&held, signal);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	const bool made = mkdtemp(directory_.data()) != nullptr;
	try {
		if (!made)
			throw_errno("make a directory beside " +
				    quote_name(target_));
		directory_fd_ = open_file(directory_, O_RDONLY | O_DIRECTORY);
		temporary_ = directory_ + "/image";
		fd_ = open_file(temporary_, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fstat(fd_.get(), &status) != 0)
			throw_errno(quote_name(temporary_));
		owner_ = status.st_uid;
		group_ = status.st_gid;
		remover_.emplace([&] {
			close(ends[1]);
			return remove_when_left(ends[0], directory_);
		});
	} catch (...) {
		std::error_code ignored;

		if (made)
			std::filesystem::remove_all(directory_, ignored);
		pthread_sigmask(SIG_SETMASK, &before, nullptr);
		throw;
	}
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PendingFile::~PendingFile()
{
	alive_.reset();
	try {
		remover_->wait();
	} catch (const std::system_error &) {
		// It removes the file all the same.
	}
}

void PendingFile::lend(uid_t id)
{
	if (fchown(fd_.get(), id, id) != 0 ||
	    fchown(directory_fd_.get(), id, id) != 0)
		throw_errno("give " + quote_name(temporary_) + " to user " +
			    std::to_string(id));
}

void PendingFile::take_back()
{
	struct stat open {};
	struct stat named {};

	if (geteuid() == 0) {
		// Whoever had them may have let others in, or be there still.
		if (fchown(directory_fd_.get(), owner_, group_) != 0 ||
		    fchmod(directory_fd_.get(), 0700) != 0 ||
		    fchown(fd_.get(), owner_, group_) != 0 ||
		    fchmod(fd_.get(), 0600) != 0)
			throw_errno("take back " + quote_name(temporary_));
		fd_ = opened_by_nobody_else(std::move(fd_), temporary_);
	}
	if (fstat(fd_.get(), &open) != 0 ||
	    lstat(temporary_.c_str(), &named) != 0)
		throw_errno(quote_name(temporary_));
	if (open.st_dev != named.st_dev || open.st_ino != named.st_ino)
		throw_error(ESTALE, quote_name(temporary_) +
					    ": another file is in its place");
}

void PendingFile::commit()
{
	const mode_t mask = umask(0);

	umask(mask);
	if (fchmod(fd_.get(), 0666 & ~mask) != 0)
		throw_errno(quote_name(target_));
	if (fsync(fd_.get()) != 0)
		throw_errno("write " + quote_name(target_));
	give_name(temporary_, target_);
	const std::string directory =
		std::filesystem::path(directory_).parent_path().string();
	const UniqueFd parent = open_file(directory, O_RDONLY | O_DIRECTORY);
	if (fsync(parent.get()) != 0)
		throw_errno("write " + quote_name(directory));
}

} // namespace erofs_share
