// SPDX-License-Identifier: GPL-2.0-only
// A file that is there when it is complete.
#include "base/pending_file.h"

#include "base/error.h"
#include "base/quote.h"
#include "base/remove_tree.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// Its name until commit().
constexpr const char *kName = "image";
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// What the remover does: waits for the end of who has the other end of @pipe.
/// By descriptors: whose the directory above is may give its name to another
/// one.
int remove_when_left(int pipe, int directory, int parent,
		     const std::string &name)
{
	char byte = 0;
	// Out of the way of each other.
	const int first = fcntl(pipe, F_DUPFD, 10);
	const int second = fcntl(directory, F_DUPFD, 10);
	const int third = fcntl(parent, F_DUPFD, 10);

	// Whoever waits for the end of the program's output does not wait for
	// this.
	if (dup2(first, 0) != 0 || dup2(second, 1) != 1 ||
	    dup2(third, 2) != 2 || close_range(3, ~0U, 0) != 0)
		return 1;
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	const bool empty = remove_contents(1);
	return unlinkat(2, name.c_str(), AT_REMOVEDIR) == 0 && empty ? 0 : 1;
}

[[noreturn]] void in_the_way(const std::string &path)
{
	throw_error(EEXIST, quote_name(path) +
				    ": something is there already; remove it, "
				    "or choose another name");
}

/// Gives the file @from, in @directory, its name at @place, which @path names,
/// unless something has it.
void give_name(int directory, const char *from, const FilePlace &place,
	       const std::string &path)
{
	const int parent = place.directory.get();
	const char *const to = place.name.c_str();

	if (renameat2(directory, from, parent, to, RENAME_NOREPLACE) == 0)
		return;
	// Not every file system can.
	if (errno == EINVAL && linkat(directory, from, parent, to, 0) == 0)
		return;
	if (errno == EEXIST)
		in_the_way(path);
	throw_errno(quote_name(path));
}

/// Makes a directory for us alone at @place, gives its name to @name, and opens
/// it.
UniqueFd make_directory(const FilePlace &place, const std::string &path,
			std::string &name)
{
	const int parent = place.directory.get();
	struct stat status {};

	name = unused_name(".erofs-share.");
	if (mkdirat(parent, name.c_str(), 0700) != 0)
		throw_errno("make a directory beside " + quote_name(path));
	UniqueFd made(openat(parent, name.c_str(),
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	// Who may write above it may have put another one there. Root would
	// give that to somebody.
	if (!made.valid() || fstat(made.get(), &status) != 0 ||
	    (geteuid() == 0 &&
	     (status.st_uid != 0 || (status.st_mode & 0777) != 0700)) ||
	    !is_empty_directory(made.get()))
		throw_error(ESTALE, quote_name(path) +
					    ": another user has put something "
					    "in the place of a directory that "
					    "was made beside it; name a "
					    "directory that only root can "
					    "write");
	return made;
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

PendingFile::PendingFile(std::string path)
    : target_(std::move(path)), place_(place_of(target_))
{
	struct stat status {};
	std::array<int, 2> ends{};
	sigset_t held;
	sigset_t before;
	bool made = false;

	if (fstatat(place_.directory.get(), place_.name.c_str(), &status,
		    AT_SYMLINK_NOFOLLOW) == 0)
		in_the_way(target_);
	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe");
	const UniqueFd pipe(ends[0]);
	alive_ = UniqueFd(ends[1]);
	// The remover has these from its beginning, whoever sends them.
	sigemptyset(&held);
	for (const int signal : kSignals)
		sigaddset(&held, signal);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	try {
		directory_fd_ = make_directory(place_, target_, directory_);
		fd_ = UniqueFd(openat(directory_fd_.get(), kName,
				      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
					      O_CLOEXEC,
				      0600));
		if (!fd_.valid())
			throw_errno("make a file beside " +
				    quote_name(target_));
		made = true;
		if (fstat(fd_.get(), &status) != 0)
			throw_errno(quote_name(target_));
		owner_ = status.st_uid;
		group_ = status.st_gid;
		remover_.emplace([&] {
			close(ends[1]);
			return remove_when_left(ends[0], directory_fd_.get(),
						place_.directory.get(),
						directory_);
		});
	} catch (...) {
		if (made)
			unlinkat(directory_fd_.get(), kName, 0);
		if (!directory_.empty())
			unlinkat(place_.directory.get(), directory_.c_str(),
				 AT_REMOVEDIR);
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
		throw_errno(quote_name(target_) + ": give it to user " +
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
			throw_errno("take back " + quote_name(target_));
		fd_ = opened_by_nobody_else(std::move(fd_), target_);
	}
	if (fstat(fd_.get(), &open) != 0 ||
	    fstatat(directory_fd_.get(), kName, &named, AT_SYMLINK_NOFOLLOW) !=
		    0)
		throw_errno(quote_name(target_));
	if (open.st_dev != named.st_dev || open.st_ino != named.st_ino)
		throw_error(ESTALE, quote_name(target_) +
					    ": mkfs.erofs has put another file "
					    "in its place");
}

std::string PendingFile::path() const
{
	return "/proc/self/fd/" + std::to_string(fd_.get());
}

void PendingFile::commit()
{
	const mode_t mask = umask(0);

	umask(mask);
	if (fchmod(fd_.get(), 0666 & ~mask) != 0)
		throw_errno(quote_name(target_));
	if (fsync(fd_.get()) != 0)
		throw_errno("write " + quote_name(target_));
	give_name(directory_fd_.get(), kName, place_, target_);
	const UniqueFd parent(openat(place_.directory.get(), ".",
				     O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	// Who may write there is not always let read.
	if (parent.valid() ? fsync(parent.get()) != 0 : errno != EACCES)
		throw_errno("write the directory of " + quote_name(target_));
}

} // namespace erofs_share
