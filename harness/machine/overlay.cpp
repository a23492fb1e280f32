// SPDX-License-Identifier: GPL-2.0-only
// Overlay mounts.
#include "machine/overlay.h"

#include "base/error.h"

#include <cstdlib>
#include <filesystem>
#include <sys/mount.h>
#include <unistd.h>

namespace erofs_share {

namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory(const std::string &parent)
    : path_(parent + "/erofs-share-XXXXXX")
{
	if (mkdtemp(path_.data()) == nullptr)
		throw_errno("mkdtemp " + path_);
}

TemporaryDirectory::~TemporaryDirectory()
{
	std::error_code ignored;

	fs::remove_all(path_, ignored);
}

Mount mount_overlay(const std::vector<std::string> &lowers,
		    const TemporaryDirectory *scratch)
{
	std::string target = "/mnt/overlay-XXXXXX";
	std::string data = "lowerdir=";

	for (const std::string &lower : lowers)
		data += (&lower == lowers.data() ? "" : ":") + lower;
	if (scratch != nullptr) {
		for (const char *name : {"upper", "work"}) {
			const std::string directory =
				scratch->path() + "/" + name;

			fs::create_directory(directory);
			data += std::string(",") + name + "dir=" + directory;
		}
	}
	if (mkdtemp(target.data()) == nullptr)
		throw_errno("mkdtemp " + target);
	if (mount("overlay", target.c_str(), "overlay",
		  scratch == nullptr ? MS_RDONLY : 0, data.c_str()) != 0) {
		const int error = errno;

		rmdir(target.c_str());
		throw_error(error, "mount overlay with " + data);
	}
	return {target, true};
}

} // namespace erofs_share
