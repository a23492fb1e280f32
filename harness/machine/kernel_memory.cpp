// SPDX-License-Identifier: GPL-2.0-only
// Readings of /proc/slabinfo and /proc/meminfo.
#include "machine/kernel_memory.h"

#include "base/fd.h"
#include "machine/page_cache.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

/// Lines of /proc/slabinfo behind its two of heading:
/// "NAME ACTIVE ALL SIZE PER_SLAB ...".
void read_slabs(KernelMemory &memory)
{
	std::istringstream lines(read_text("/proc/slabinfo"));
	std::string line;

	std::getline(lines, line);
	std::getline(lines, line);
	while (std::getline(lines, line)) {
		std::istringstream fields(line);
		std::string name;
		std::uint64_t active = 0;
		std::uint64_t all = 0;
		std::uint64_t size = 0;
		std::uint64_t per_slab = 0;

		if (!(fields >> name >> active >> all >> size >> per_slab))
			continue;
		memory.objects[name] += active;
		memory.per_slab[name] = per_slab;
	}
}

/// /proc/meminfo in KB.
std::map<std::string, std::uint64_t> meminfo()
{
	std::istringstream lines(read_text("/proc/meminfo"));
	std::map<std::string, std::uint64_t> values;
	std::string key;
	std::uint64_t value = 0;
	std::string rest;

	while (lines >> key >> value && std::getline(lines, rest)) {
		key.pop_back(); // the colon
		values[key] = value;
	}
	return values;
}

/// Free pages in KB that the CPUs keep for themselves, which MemFree leaves
/// out: lines "count: PAGES" of /proc/zoneinfo.
std::uint64_t kept_free()
{
	const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
	std::istringstream words(read_text("/proc/zoneinfo"));
	std::uint64_t pages = 0;

	for (std::string word; words >> word;) {
		std::uint64_t count = 0;

		if (word == "count:" && words >> count)
			pages += count;
	}
	return pages * page / 1024;
}

/// Empty slabs and those that a CPU keeps for itself go back, so that objects
/// in use are exactly those that somebody has.
void shrink_slabs(const std::string &caches)
{
	for (const auto &entry : fs::directory_iterator("/sys/kernel/slab")) {
		const fs::path file = entry.path() / "shrink";

		// A link is another name of a merged cache.
		if (entry.is_symlink() || access(file.c_str(), W_OK) != 0 ||
		    entry.path().filename().string().find(caches) ==
			    std::string::npos)
			continue;
		try {
			write_text(file.string(), "1");
		} catch (const std::system_error &) {
			// The cache of a module that goes right now.
			continue;
		}
	}
}

} // namespace

KernelMemory current_kernel_memory()
{
	KernelMemory memory;

	write_text("/proc/sys/vm/stat_refresh", "1");
	auto info = meminfo();
	read_slabs(memory);
	memory.slab = info["Slab"];
	memory.percpu = info["Percpu"];
	memory.free = info["MemFree"];
	memory.buffers = info["Buffers"];
	memory.used = info["MemTotal"] - info["MemFree"] - memory.buffers -
		      info["Cached"] - kept_free();
	memory.backing_devices = static_cast<std::uint64_t>(
		std::distance(fs::directory_iterator("/sys/class/bdi"),
			      fs::directory_iterator()));
	return memory;
}

namespace {

std::uint64_t count_objects(const KernelMemory &memory,
			    const std::string &caches)
{
	std::uint64_t sum = 0;

	for (const auto &[name, count] : memory.objects)
		if (name.find(caches) != std::string::npos)
			sum += count;
	return sum;
}

std::string grown(const std::string &what, std::uint64_t from, std::uint64_t to,
		  std::uint64_t operations)
{
	return what + " grew from " + std::to_string(from) + " to " +
	       std::to_string(to) + " in " + std::to_string(operations) +
	       " cycles";
}

} // namespace

std::uint64_t KernelMemory::erofs_objects() const
{
	return count_objects(*this, "erofs");
}

KernelMemory settled_kernel_memory(const std::string &caches)
{
	constexpr int kMost = 20;
	constexpr auto kPause = std::chrono::milliseconds(100);
	KernelMemory best;

	// Objects are freed after grace periods, and by work that frees more.
	for (int turn = 0; turn < kMost; turn++) {
		drop_caches(Drop::kAll);
		shrink_slabs(caches);
		std::this_thread::sleep_for(kPause);
		KernelMemory now = current_kernel_memory();
		if (turn > 2 &&
		    count_objects(now, caches) >= count_objects(best, caches))
			return now;
		best = std::move(now);
	}
	return best;
}

std::map<std::string, std::string> leaks(const KernelMemory &before,
					 const KernelMemory &after,
					 std::uint64_t operations)
{
	// Below these a difference is the system's own unrest.
	constexpr std::uint64_t kObjects = 160;
	constexpr std::uint64_t kPercpu = 256;
	constexpr std::uint64_t kPages = 8192;
	// The slab that a CPU allocates from counts as full (mm/slub.c).
	const auto cpus =
		static_cast<std::uint64_t>(sysconf(_SC_NPROCESSORS_ONLN));
	std::map<std::string, std::string> found;
	const auto check = [&](const std::string &what, std::uint64_t from,
			       std::uint64_t to, std::uint64_t allowed) {
		if (to > from + allowed)
			found[what] = grown(what, from, to, operations);
	};

	for (const auto &[name, count] : after.objects) {
		const auto old = before.objects.find(name);

		check("objects in slab cache " + name,
		      old == before.objects.end() ? 0 : old->second, count,
		      std::max({kObjects, operations / 4,
				cpus * after.per_slab.at(name)}));
	}
	check("percpu memory (KB)", before.percpu, after.percpu,
	      std::max(kPercpu, operations / 32));
	check("used memory (KB)", before.used, after.used,
	      std::max(kPages, operations));
	check("backing devices", before.backing_devices, after.backing_devices,
	      0);
	return found;
}

} // namespace erofs_share
