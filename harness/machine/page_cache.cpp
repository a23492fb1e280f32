// SPDX-License-Identifier: GPL-2.0-only
// Readings of the page cache from /proc/meminfo, mincore(2) and cachestat(2).
#include "machine/page_cache.h"

#include "base/error.h"
#include "base/fd.h"

#include <algorithm>
#include <fcntl.h>
#include <sstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace erofs_share {

namespace {

std::uint64_t page_size()
{
	static const auto kSize =
		static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));

	return kSize;
}

/// Moves pages that were cached just now from the batches of each CPU to the
/// kernel's lists: those in a batch cannot be dropped. 6.12 does that for
/// drop_caches, 6.1 does not; moving a page does it in both (do_pages_move()
/// calls lru_cache_disable()). A kernel that cannot move pages keeps them
/// there: tests that need them dropped then fail.
void flush_lru_batches()
{
	int here = 0;
	void *page = &here;
	const int node = 0;
	int status = 0;
	constexpr int kOwnPages = 1 << 1; // MPOL_MF_MOVE

	syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, kOwnPages);
}

std::uint64_t file_size(int fd, const std::string &path)
{
	struct stat status {};

	if (fstat(fd, &status) != 0)
		throw_errno("fstat " + path);
	return static_cast<std::uint64_t>(status.st_size);
}

/// The value of /proc/meminfo in the line that begins with @wanted.
std::uint64_t meminfo_bytes(const std::string &wanted)
{
	// Each CPU holds back up to a few hundred pages of the counter; any
	// write folds them in.
	write_text("/proc/sys/vm/stat_refresh", "1");

	std::istringstream lines(read_text("/proc/meminfo"));
	std::string key;
	std::uint64_t kilobytes = 0;
	std::string rest;

	while (lines >> key >> kilobytes && std::getline(lines, rest))
		if (key == wanted)
			return kilobytes * 1024;
	throw_error(ENOENT, wanted + " in /proc/meminfo");
}

/// A byte for each page of [@from, @to) of the file at @path, odd if it is
/// resident; fewer where the file ends.
std::vector<unsigned char> core_map(const std::string &path, std::uint64_t from,
				    std::uint64_t to)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	const std::uint64_t end = std::min(to, file_size(fd.get(), path));
	const std::uint64_t start = from - from % page_size();

	if (from >= end)
		return {};

	const std::uint64_t size = end - start;
	std::vector<unsigned char> pages((size + page_size() - 1) /
					 page_size());
	void *address = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(),
			     static_cast<off_t>(start));
	if (address == MAP_FAILED)
		throw_errno("mmap " + path);
	const int result = mincore(address, size, pages.data());
	const int error = errno;
	munmap(address, size);
	if (result != 0)
		throw_error(error, "mincore " + path);
	return pages;
}

} // namespace

std::uint64_t cached_bytes()
{
	return meminfo_bytes("Cached:");
}

std::uint64_t file_cache_bytes()
{
	const std::uint64_t cached = cached_bytes();

	return cached - std::min(cached, meminfo_bytes("Shmem:"));
}

std::uint64_t total_pages(const std::string &path)
{
	const UniqueFd fd = open_file(path, O_RDONLY);

	return (file_size(fd.get(), path) + page_size() - 1) / page_size();
}

std::uint64_t resident_pages(const std::string &path, std::uint64_t from,
			     std::uint64_t to)
{
	const auto pages = core_map(path, from, to);

	return static_cast<std::uint64_t>(
		std::count_if(pages.begin(), pages.end(),
			      [](unsigned char page) { return page & 1; }));
}

std::vector<bool> resident_map(const std::string &path)
{
	std::vector<bool> map;

	for (const unsigned char page : core_map(path, 0, UINT64_MAX))
		map.push_back((page & 1) != 0);
	return map;
}

std::optional<std::uint64_t> cachestat_pages(const std::string &path)
{
	return cachestat_pages(open_file(path, O_RDONLY));
}

std::optional<std::uint64_t> cachestat_pages(const UniqueFd &file)
{
	// Neither the number nor the structures are in Debian 12's headers.
	constexpr long kCachestat = 451;
	struct Range {
		std::uint64_t offset, length;
	} range = {0, 0};
	struct Stat {
		std::uint64_t cache, dirty, writeback, evicted, recent;
	} stat = {};

	if (syscall(kCachestat, file.get(), &range, &stat, 0) != 0) {
		if (errno == ENOSYS)
			return std::nullopt;
		throw_errno("cachestat");
	}
	return stat.cache;
}

void drop_caches(Drop what)
{
	sync();
	flush_lru_batches();
	write_text("/proc/sys/vm/drop_caches",
		   std::to_string(static_cast<int>(what)));
}

std::uint64_t read_through(const std::string &path)
{
	// One for all files: clearing a new one each time would cost more than
	// reading a small file.
	thread_local std::vector<std::byte> buffer(1 << 20);
	const UniqueFd fd = open_file(path, O_RDONLY);
	std::uint64_t done = 0;

	for (;;) {
		const std::size_t got = read_at(fd.get(), buffer, done, path);

		done += got;
		if (got < buffer.size())
			return done;
	}
}

std::vector<std::byte> read_range(const std::string &path, std::uint64_t from,
				  std::uint64_t to)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	const std::uint64_t end = std::min(to, file_size(fd.get(), path));
	std::vector<std::byte> bytes(end - std::min(from, end));
	const int error = posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM);

	if (error != 0)
		throw_error(error, "fadvise " + path);
	bytes.resize(read_at(fd.get(), bytes, from, path));
	return bytes;
}

} // namespace erofs_share
