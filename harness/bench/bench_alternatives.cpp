// SPDX-License-Identifier: GPL-2.0-only
// Other ways of having the files of similar images: the guest's part.
#include "bench/bench_alternatives.h"

#include "bench/bench_cost.h"
#include "content/images.h"
#include "content/ram_disk.h"
#include "content/tree_reading.h"
#include "machine/domain_id.h"
#include "machine/kernel_memory.h"
#include "machine/mount.h"
#include "machine/page_cache.h"

#include <stdexcept>
#include <sys/mount.h>
#include <sys/stat.h>

namespace erofs_share {

namespace {

/// Mounts for one measurement; unmounted in reverse order.
class Stack {
      public:
	explicit Stack(const Alternative &alternative)
	    : alternative_(alternative)
	{
		if (!alternative.shared)
			return;
		const DomainId::Revealed id = DomainId::random().reveal();
		options_ = std::string("inode_share,domain_id=") + id.c_str();
	}
	Stack(const Stack &) = delete;
	Stack &operator=(const Stack &) = delete;
	Stack(Stack &&) = delete;
	Stack &operator=(Stack &&) = delete;
	~Stack()
	{
		while (!mounts_.empty())
			mounts_.pop_back();
	}

	/// Mounts @device. Returns where.
	std::string add(const std::string &device)
	{
		std::string target = new_directory();
		const std::string options =
			alternative_.dax ? "dax=always" : options_;

		mounts_.push_back(mount_other(alternative_.type, device, target,
					      MS_RDONLY, options));
		return target;
	}

	/// An overlay of @layers, the upmost first. Returns where it is.
	std::string overlay(const std::vector<std::string> &layers)
	{
		std::string target = new_directory();
		// Without a second layer, overlayfs wants one to write to.
		std::string options = "lowerdir=" + new_directory();

		for (const std::string &layer : layers)
			options += ":" + layer;
		mounts_.push_back(mount_other("overlay", "overlay", target,
					      MS_RDONLY, options));
		return target;
	}

      private:
	std::string new_directory()
	{
		std::string path =
			"/mnt/alternative-" + std::to_string(directories_++);

		mkdir("/mnt", 0755);
		mkdir(path.c_str(), 0755);
		return path;
	}

	const Alternative &alternative_;
	std::string options_;
	int directories_ = 0;
	std::vector<Mount> mounts_;
};

std::uint64_t growth(std::uint64_t before, std::uint64_t after)
{
	return after > before ? after - before : 0;
}

std::string disk_of(const Alternative &alternative, const std::string &which)
{
	return disk_called(std::string(alternative.disks) + "-" + which);
}

} // namespace

const std::vector<Alternative> &alternatives()
{
	static const std::vector<Alternative> kAlternatives = {
		{"erofs", "EROFS", "erofs", "erofs", false, false, false,
		 "each image has its own pages"},
		{"share", "EROFS, inode_share", "erofs", "erofs", true, false,
		 false,
		 "one copy of each equal file, wherever the images come from"},
		{"erofs-lz4", "EROFS lz4", "erofs", "lz4", false, false, false,
		 "compression saves disk and no page cache"},
		{"share-lz4", "EROFS lz4, inode_share", "erofs", "lz4", true,
		 false, false, "saves both"},
		{"squashfs", "squashfs lz4", "squashfs", "squashfs", false,
		 false, false,
		 "compresses in larger blocks; whole blocks of 128 KiB are "
		 "unpacked into the page cache"},
		{"ext4", "ext4", "ext4", "ext4", false, false, false,
		 "can be written to elsewhere; nothing is shared"},
		{"overlay", "overlayfs, common lower EROFS", "erofs", "erofs",
		 false, true, false,
		 "one copy of what the lower layer has, on disk too, but "
		 "only for images that are built upon each other; each open "
		 "goes through two file systems"},
		{"dax", "EROFS on DAX", "erofs", "dax", false, false, true,
		 "files are read where the images lie, so all of the images "
		 "lie in memory; no compression"},
	};

	return kAlternatives;
}

const Alternative &find_alternative(const std::string &key)
{
	for (const Alternative &alternative : alternatives())
		if (alternative.key == key)
			return alternative;
	throw std::out_of_range("no alternative is called '" + key + "'");
}

void measure_alternative_memory(const Alternative &alternative,
				const RecordWriter &records)
{
	Stack stack(alternative);
	constexpr std::uint64_t kKilobyte = 1024;
	std::vector<std::string> roots;
	std::uint64_t files = 0;
	std::uint64_t bytes = 0;

	if (alternative.overlay) {
		const std::string base = stack.add(disk_of(alternative, "old"));
		const std::string delta =
			stack.add(disk_of(alternative, "delta"));

		roots = {stack.overlay({base}), stack.overlay({delta, base})};
	} else if (alternative.dax) {
		int number = 0;

		for (const char *which : {"old", "new"})
			roots.push_back(stack.add(copy_to_device(
				std::string(alternative.disks) + "-" + which,
				"/dev/pmem" + std::to_string(number++))));
	} else {
		for (const char *which : {"old", "new"})
			roots.push_back(stack.add(disk_of(alternative, which)));
	}

	drop_caches(Drop::kAll);
	const std::uint64_t cached = cached_bytes();
	const KernelMemory before = current_kernel_memory();
	for (const std::string &root : roots)
		for (const std::string &path : files_with_content(root)) {
			files++;
			bytes += read_through(path);
		}
	const KernelMemory after = current_kernel_memory();
	records.send(
		{{"event", "alternative-memory"},
		 {"alternative", alternative.key},
		 {"files", files},
		 {"bytes", bytes},
		 {"cached", growth(cached, cached_bytes())},
		 {"buffers", growth(before.buffers, after.buffers) * kKilobyte},
		 {"slab", growth(before.slab, after.slab) * kKilobyte}});
}

void measure_alternative_cost(const Alternative &alternative,
			      const RecordWriter &records)
{
	Stack stack(alternative);
	const std::string serial = std::string(alternative.disks) + "-cost";
	const std::string device = copy_to_device(
		serial, alternative.dax ? "/dev/pmem0" : "/dev/ram0");
	const std::string root = stack.add(device);
	const ReadCosts costs = measure_reads(
		alternative.overlay ? stack.overlay({root}) : root);

	records.send({{"event", "alternative-cost"},
		      {"alternative", alternative.key},
		      {"open_read_close", costs.open_read_close},
		      {"cold_read", costs.cold_read}});
}

} // namespace erofs_share
