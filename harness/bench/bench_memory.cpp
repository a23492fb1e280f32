// SPDX-License-Identifier: GPL-2.0-only
// Page cache of two images, read whole or with a program started from each.
#include "bench/bench_memory.h"

#include "base/error.h"
#include "content/container.h"
#include "content/tree_reading.h"
#include "erofs/content_hash.h"
#include "machine/mount.h"
#include "machine/page_cache.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <map>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace erofs_share {

namespace {

MountOptions options_of(const MemoryRun &run)
{
	return run.share ? MountOptions::sharing(DomainId::random())
			 : MountOptions{};
}

struct Residence {
	std::uint64_t resident = 0; ///< bytes
	std::uint64_t unique = 0;   ///< bytes, equal files as one
};

std::uint64_t bytes_of(const std::vector<bool> &pages)
{
	return static_cast<std::uint64_t>(
		       std::count(pages.begin(), pages.end(), true)) *
	       static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// What is resident of the files below @roots; plain mounts only, where each
/// has pages of its own. Reads these files afterwards to tell which are equal.
Residence residence_of(const std::vector<std::string> &roots)
{
	std::vector<std::vector<bool>> maps;
	std::vector<HashJob> jobs;
	std::map<std::pair<std::string, std::size_t>, std::vector<bool>> unions;
	Residence found;

	for (const std::string &root : roots)
		for (const std::string &path : files_with_content(root)) {
			std::vector<bool> map = resident_map(path);

			if (std::find(map.begin(), map.end(), true) ==
			    map.end())
				continue;
			found.resident += bytes_of(map);
			maps.push_back(std::move(map));
			jobs.push_back({.path = path});
		}
	const std::vector<std::string> hashes = hash_files(jobs, "equal files");
	for (std::size_t i = 0; i < jobs.size(); i++) {
		auto &all = unions[{hashes[i], maps[i].size()}];

		all.resize(maps[i].size());
		for (std::size_t page = 0; page < maps[i].size(); page++)
			all[page] = all[page] || maps[i][page];
	}
	for (const auto &[content, map] : unions)
		found.unique += bytes_of(map);
	return found;
}

/// The page cache in bytes, once programs that answer have done what they go on
/// to do: when it grows by less than a thousandth in five seconds. Throws when
/// it still grows after five minutes.
std::uint64_t settled_file_cache_bytes()
{
	constexpr std::chrono::seconds kStill(5);
	constexpr int kTries = 60;
	constexpr std::uint64_t kThousand = 1000;
	std::uint64_t last = file_cache_bytes();

	for (int i = 0; i < kTries; i++) {
		std::this_thread::sleep_for(kStill);
		const std::uint64_t now = file_cache_bytes();

		if (now <= last + last / kThousand)
			return now;
		last = now;
	}
	throw_error(ETIMEDOUT, "wait until the started programs read no more "
			       "of their files");
}

} // namespace

Record measure_reading(const MemoryRun &run)
{
	const TreeReading reading =
		read_two_trees(run.first, run.second, options_of(run));

	return {{"event", "bench"},	    {"name", run.name},
		{"files", reading.files},   {"bytes", reading.bytes},
		{"cached", reading.cached}, {"mounts", reading.mount_lines}};
}

Record measure_start(const MemoryRun &run, const std::string &script)
{
	const MountOptions options = options_of(run);
	const Mount a = mount_erofs(run.first, options);
	const Mount b = mount_erofs(run.second, options);

	drop_caches(Drop::kAll);
	const std::uint64_t before = file_cache_bytes();
	const Container first(a.path(), script);
	const Container second(b.path(), script);
	const std::uint64_t after = settled_file_cache_bytes();
	Record record = {{"event", "bench"},
			 {"name", run.name},
			 {"cached", after > before ? after - before : 0},
			 {"mounts", mount_lines({&a, &b})}};

	if (!run.share) {
		const Residence found = residence_of({a.path(), b.path()});

		record["resident"] = found.resident;
		record["unique"] = found.unique;
	}
	return record;
}

} // namespace erofs_share
