// SPDX-License-Identifier: GPL-2.0-only
// Reading the trees of two images.
#include "content/tree_reading.h"

#include "base/error.h"
#include "base/fd.h"
#include "machine/page_cache.h"

#include <filesystem>
#include <set>
#include <sstream>
#include <sys/stat.h>

namespace erofs_share {

std::vector<std::string> files_with_content(const std::string &root)
{
	namespace fs = std::filesystem;
	std::set<ino_t> linked;
	std::vector<std::string> files;

	for (const auto &entry : fs::recursive_directory_iterator(root)) {
		struct stat status {};

		if (lstat(entry.path().c_str(), &status) != 0)
			throw_errno("stat " + entry.path().string());
		if (!S_ISREG(status.st_mode) || status.st_size == 0)
			continue;
		// A file with several names is one file.
		if (status.st_nlink > 1 && !linked.insert(status.st_ino).second)
			continue;
		files.push_back(entry.path().string());
	}
	return files;
}

namespace {

void read_tree(const std::string &root, TreeReading &reading)
{
	for (const std::string &path : files_with_content(root)) {
		reading.files++;
		reading.bytes += read_through(path);
	}
}

} // namespace

std::vector<std::string> mount_lines(const std::vector<const Mount *> &mounts)
{
	std::istringstream lines(read_text("/proc/mounts"));
	std::vector<std::string> found;

	for (std::string line; std::getline(lines, line);)
		for (const Mount *mount : mounts)
			if (line.find(" " + mount->path() + " ") !=
			    std::string::npos)
				found.push_back(line);
	return found;
}

TreeReading read_two_trees(const std::string &first, const std::string &second,
			   const MountOptions &options)
{
	const Mount a = mount_erofs(first, options);
	const Mount b = mount_erofs(second, options);
	TreeReading reading;

	drop_caches(Drop::kAll);
	const std::uint64_t before = cached_bytes();
	read_tree(a.path(), reading);
	read_tree(b.path(), reading);
	const std::uint64_t after = cached_bytes();
	reading.cached = after > before ? after - before : 0;
	reading.mount_lines = mount_lines({&a, &b});
	return reading;
}

} // namespace erofs_share
