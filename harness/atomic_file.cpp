// SPDX-License-Identifier: GPL-2.0-only
// A temporary file, and rename(2).
#include "atomic_file.h"

#include "error.h"
#include "fd.h"

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

} // namespace

void write_atomically(const std::string &path, const std::string &text)
{
	const std::size_t slash = path.rfind('/') + 1;
	// A name that no pattern such as *.prom takes for one of its own.
	std::string temporary =
		path.substr(0, slash) + "." + path.substr(slash) + ".XXXXXX";
	const UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));

	if (!fd.valid())
		throw_errno("write beside " + path);
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
