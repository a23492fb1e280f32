// SPDX-License-Identifier: GPL-2.0-only
// A mount that is attached nowhere.
#include "os/detached_mount.h"

#include "base/error.h"
#include "base/quote.h"
#include "os/fs_context.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

namespace erofs_share {

namespace {

constexpr unsigned int kAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
				     MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
				     MOUNT_ATTR_NOSYMFOLLOW;

/// The open file, whatever became of its name.
std::string name_of(int file)
{
	return "/proc/self/fd/" + std::to_string(file);
}

} // namespace

DetachedMount::DetachedMount(int image, const std::vector<int> &devices)
{
	FsContext context = FsContext::open();
	bool done = context.set_string("source", source(image).c_str()) &&
		    context.set_flag("ro");

	for (const int device : devices)
		done = done &&
		       context.set_string("device", source(device).c_str());
	if (done && context.create())
		tree_ = context.make_mount(kAttributes);
	if (!tree_.valid()) {
		const MountOutcome outcome = context.finish();

		throw_error(outcome.error, outcome.text());
	}
}

/// A block device with what is in @file.
std::string DetachedMount::source(int file)
{
	struct stat status {};

	if (fstat(file, &status) != 0)
		throw_errno("fstat");
	if (S_ISBLK(status.st_mode))
		return name_of(file);
	return loops_.emplace_back(name_of(file)).path();
}

UniqueFd DetachedMount::open(const std::string &path, std::uint64_t nid) const
{
	open_how how{};
	struct stat status {};

	how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	how.resolve =
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	UniqueFd file(static_cast<int>(syscall(
		SYS_openat2, tree_.get(), path.c_str(), &how, sizeof(how))));
	if (!file.valid() || fstat(file.get(), &status) != 0)
		throw_errno(quote_name(path));
	// The kernel's number of the inode is the image's.
	if (!S_ISREG(status.st_mode) || status.st_ino != nid)
		throw_error(EBADMSG, quote_name(path) +
					     ": to the kernel this is another "
					     "file");
	return file;
}

} // namespace erofs_share
