// SPDX-License-Identifier: GPL-2.0-only
// What the kernel keeps in memory for itself, so that a leak shows: objects of
// each slab cache, percpu memory, pages.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace erofs_share {

/// One reading. All sizes are in KB.
struct KernelMemory {
	/// Objects in use by slab cache (/proc/slabinfo; caches that the
	/// kernel merged count as one).
	std::map<std::string, std::uint64_t> objects;
	/// Objects that fit into one slab of each of these caches.
	std::map<std::string, std::uint64_t> per_slab;
	std::uint64_t slab = 0;	   ///< Slab of /proc/meminfo
	std::uint64_t percpu = 0;  ///< Percpu of /proc/meminfo
	std::uint64_t free = 0;	   ///< MemFree of /proc/meminfo
	std::uint64_t buffers = 0; ///< Buffers: page cache of block devices
	/// Pages that are neither free nor page cache.
	std::uint64_t used = 0;
	/// Entries of /sys/class/bdi: superblocks and block devices.
	std::uint64_t backing_devices = 0;

	/// Objects in the caches whose name contains "erofs".
	[[nodiscard]] std::uint64_t erofs_objects() const;
};

/// A reading as things are. Throws.
KernelMemory current_kernel_memory();

/// Drops all caches, gives back empty slabs of caches whose name contains
/// @caches, waits until what these free late is free, and reads. With KASAN a
/// cache takes a tenth of a second and more. Throws.
KernelMemory settled_kernel_memory(const std::string &caches = "");

/// What grew from @before to @after by so much that each of @operations, or
/// each fourth, must have left something behind: what it is, and a sentence.
/// Objects that would fit into a slab for each CPU may have grown by that. Call
/// it on the machine that was read.
std::map<std::string, std::string> leaks(const KernelMemory &before,
					 const KernelMemory &after,
					 std::uint64_t operations);

} // namespace erofs_share
