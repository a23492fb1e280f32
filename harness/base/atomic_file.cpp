// SPDX-License-Identifier: GPL-2.0-only
// A temporary file, and renameat(2) in one directory that is held open: whose
// that is, and what its path leads to meanwhile, does not matter.
#include "base/atomic_file.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file_place.h"
#include "base/quote.h"

#include <cstdio>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// The mode of a file that open(2) makes with 0666.
mode_t usual_mode()
{
	const mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/// Fails where something is at @place, which @path names, that must not be
/// replaced: a device, such as /dev/full, or a link, such as /dev/stdout.
void check_replaceable(const FilePlace &place, const std::string &path)
{
	struct stat status {};

	if (fstatat(place.directory.get(), place.name.c_str(), &status,
		    AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISDIR(status.st_mode))
		throw_error(EISDIR,
			    quote_name(path) + ": expected the name of a file");
	if (!S_ISREG(status.st_mode))
		throw_error(EINVAL, quote_name(path) +
					    ": expected a regular file or an "
					    "unused name, as a new file takes "
					    "its place");
}

} // namespace

void write_atomically(const std::string &path, const std::string &text)
{
	const FilePlace place = place_of(path);
	const int directory = place.directory.get();
	// A name that no pattern such as *.prom takes for one of its own.
	const std::string temporary =
		unused_name("." + place.name.substr(0, 200) + ".");

	check_replaceable(place, path);
	const UniqueFd fd(openat(
		directory, temporary.c_str(),
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
	if (!fd.valid())
		throw_errno(quote_name(path) +
			    ": cannot make a new file in its directory");
	try {
		write_all(fd.get(), std::as_bytes(std::span(text)), path);
		if (fchmod(fd.get(), usual_mode()) != 0 ||
		    fsync(fd.get()) != 0 ||
		    renameat(directory, temporary.c_str(), directory,
			     place.name.c_str()) != 0)
			throw_errno("write " + path);
	} catch (...) {
		unlinkat(directory, temporary.c_str(), 0);
		throw;
	}
}

} // namespace erofs_share
