// SPDX-License-Identifier: GPL-2.0-only
// A temporary file, and rename(2).
#include "atomic_file.h"

#include "error.h"
#include "fd.h"
#include "quote.h"

#include <cstdio>
#include <cstdlib>
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

/// Fails where something has the name @path that must not be replaced: a
/// device, such as /dev/full, or a link, such as /dev/stdout.
void check_replaceable(const std::string &path)
{
	struct stat status {};

	if (lstat(path.c_str(), &status) != 0)
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
	const std::size_t slash = path.rfind('/') + 1;
	// A name that no pattern such as *.prom takes for one of its own.
	std::string temporary =
		path.substr(0, slash) + "." + path.substr(slash) + ".XXXXXX";

	check_replaceable(path);
	const UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
	if (!fd.valid())
		throw_errno(quote_name(path) +
			    ": cannot make a new file in its directory");
	try {
		write_all(fd.get(), std::as_bytes(std::span(text)), path);
		if (fchmod(fd.get(), usual_mode()) != 0 ||
		    fsync(fd.get()) != 0 ||
		    rename(temporary.c_str(), path.c_str()) != 0)
			throw_errno("write " + path);
	} catch (...) {
		unlink(temporary.c_str());
		throw;
	}
}

} // namespace erofs_share
