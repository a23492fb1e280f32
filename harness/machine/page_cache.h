// SPDX-License-Identifier: GPL-2.0-only
// Readings of the page cache: how much there is, and which pages of a file.
#pragma once

#include "base/fd.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// "Cached" of /proc/meminfo in bytes, after the per-CPU counters were folded
/// in, so that the number is exact when nothing else runs.
std::uint64_t cached_bytes();

/// The same without "Shmem": what of it are files of file systems that keep
/// them elsewhere, and not the contents of tmpfs.
std::uint64_t file_cache_bytes();

/// Pages of the file at @path with a byte in [@from, @to) that are resident, as
/// mincore(2) sees them. Reads nothing into the cache. Throws.
std::uint64_t resident_pages(const std::string &path, std::uint64_t from = 0,
			     std::uint64_t to = UINT64_MAX);

/// For each page of the file at @path whether it is resident, in the same way.
std::vector<bool> resident_map(const std::string &path);

/// Pages of the file at @path in all, the last one perhaps partly used.
std::uint64_t total_pages(const std::string &path);

/// Pages in the cache by cachestat(2); nothing on kernels before 6.5.
std::optional<std::uint64_t> cachestat_pages(const std::string &path);
/// The same of an open file. An open does not attach a file of a sharing mount
/// a second time: this shows which pages that very file reads.
std::optional<std::uint64_t> cachestat_pages(const UniqueFd &file);

/// What to write to /proc/sys/vm/drop_caches.
enum class Drop {
	kPages = 1, ///< clean page cache
	kSlab = 2,  ///< dentries and inodes that nobody uses
	kAll = 3,   ///< both
};

/// Writes back, then drops caches.
void drop_caches(Drop what);

/// Reads a whole file through read(2) and throws the bytes away.
/// Returns its length in bytes. Throws.
std::uint64_t read_through(const std::string &path);

/// Reads bytes [@from, @to) of the file at @path through read(2), asking for no
/// readahead: of an uncompressed file, only pages in the range get cached.
/// Returns the bytes, fewer where the file ends. Throws.
std::vector<std::byte> read_range(const std::string &path, std::uint64_t from,
				  std::uint64_t to);

} // namespace erofs_share
