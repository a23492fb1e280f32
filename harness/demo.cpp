// SPDX-License-Identifier: GPL-2.0-only
// The demonstration's part in the guest.
#include "demo.h"

#include "error.h"
#include "fd.h"
#include "mount.h"
#include "page_cache.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <sstream>
#include <sys/stat.h>

namespace erofs_share {

namespace {

struct Reading {
	std::uint64_t files = 0;
	std::uint64_t bytes = 0;
	std::uint64_t cached = 0; ///< growth of Cached while reading
	std::vector<std::string> mount_lines;
};

void read_tree(const std::string &root, Reading &reading)
{
	namespace fs = std::filesystem;
	std::set<ino_t> linked;

	for (const auto &entry : fs::recursive_directory_iterator(root)) {
		struct stat status {};

		if (lstat(entry.path().c_str(), &status) != 0)
			throw_errno("stat " + entry.path().string());
		if (!S_ISREG(status.st_mode) || status.st_size == 0)
			continue;
		// A file with several names is one file.
		if (status.st_nlink > 1 && !linked.insert(status.st_ino).second)
			continue;
		reading.files++;
		reading.bytes += read_through(entry.path().string());
	}
}

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

Reading measure(const std::string &first, const std::string &second,
		const MountOptions &options)
{
	const Mount a = mount_erofs(first, options);
	const Mount b = mount_erofs(second, options);
	Reading reading;

	drop_caches(Drop::kAll);
	const std::uint64_t before = cached_bytes();
	read_tree(a.path(), reading);
	read_tree(b.path(), reading);
	const std::uint64_t after = cached_bytes();
	reading.cached = after > before ? after - before : 0;
	reading.mount_lines = mount_lines({&a, &b});
	return reading;
}

} // namespace

Record run_demo(const std::string &first, const std::string &second)
{
	const Reading plain = measure(first, second, {});
	const Reading shared = measure(
		first, second, MountOptions::sharing(DomainId::random()));

	return {{"event", "demo"},
		{"files", shared.files},
		{"bytes", shared.bytes},
		{"cached_plain", plain.cached},
		{"cached_shared", shared.cached},
		{"mounts", shared.mount_lines}};
}

} // namespace erofs_share
