// SPDX-License-Identifier: GPL-2.0-only
// What operations on files cost in instructions: the guest's part.
//
// A round mounts the images afresh, so that inodes, dentries and pages are
// cold. What can be repeated within a round is, and the least counts: a try
// that an interrupt fell into has what the interrupt did in it.
#include "bench/bench_cost.h"

#include "base/error.h"
#include "base/fd.h"
#include "content/ram_disk.h"
#include "machine/domain_id.h"
#include "machine/instruction_clock.h"
#include "machine/mount.h"
#include "machine/page_cache.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <map>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::uint64_t kLargeSize = 4 * kMebibyte;
constexpr int kSmallFiles = 400;
constexpr int kTries = 10; ///< of a hot operation
constexpr int kCalls = 50; ///< in one try
constexpr int kColdTries = 2;
constexpr int kMountTries = 10;
constexpr std::size_t kMountPage = 8192;
constexpr const char *kHot = "hot";
constexpr const char *kLarge = "large";
constexpr const char *kFirst = "/mnt/first";
constexpr const char *kSecond = "/mnt/second";

std::string small_name(int i)
{
	return "small/" + std::to_string(1000 + i);
}

UniqueFd open_quick(const char *path)
{
	UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));

	if (!fd.valid())
		throw_errno(std::string("open ") + path);
	return fd;
}

/// Reads as much as there is, up to the buffer's size, from @offset on.
template <std::size_t N>
void read_some(const UniqueFd &fd, std::array<char, N> &buffer, off_t offset)
{
	if (pread(fd.get(), buffer.data(), buffer.size(), offset) <= 0)
		throw_errno("pread");
}

/// The least that one of kCalls calls of @operation takes, on average.
template <typename Operation> double hot_cost(const Operation &operation)
{
	std::uint64_t best = UINT64_MAX;

	operation();
	for (int i = 0; i < kTries; i++) {
		const std::uint64_t start = instructions();

		for (int call = 0; call < kCalls; call++)
			operation();
		best = std::min(best, instructions() - start);
	}
	return static_cast<double>(best) / kCalls;
}

/// What it costs to read a MiB of the large file @path, with none of it in
/// memory.
double cold_read_cost(const std::string &path)
{
	static std::array<char, 131072> buffer;
	const UniqueFd fd = open_quick(path.c_str());
	std::uint64_t best = UINT64_MAX;

	for (int i = 0; i < kColdTries; i++) {
		const int error =
			posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);

		if (error != 0)
			throw_error(error, "fadvise " + path);
		if (resident_pages(path) != 0)
			throw_error(EBUSY, "drop the pages of " + path);
		settle_instructions();
		const std::uint64_t start = instructions();
		for (std::uint64_t at = 0; at < kLargeSize; at += buffer.size())
			read_some(fd, buffer, static_cast<off_t>(at));
		best = std::min(best, instructions() - start);
	}
	return static_cast<double>(best) / kLargeSize * kMebibyte;
}

double open_read_close_cost(const std::string &path)
{
	static std::array<char, 4096> page;

	return hot_cost([&] { read_some(open_quick(path.c_str()), page, 0); });
}

/// One round of one kind of mount.
class Round {
      public:
	Round(const RecordWriter &records, int number, bool shared)
	    : records_(records), number_(number), shared_(shared)
	{
		// mount(2) copies a page, and goes on byte by byte where it
		// meets the end of a mapping: give it a page in any case.
		options_.reserve(kMountPage);
		if (!shared)
			return;
		options_ += "inode_share,domain_id=";
		options_ += DomainId::random().reveal().view();
	}

	/// @device and @copy hold the same image, @labels one with labels.
	void all(const std::string &device, const std::string &copy,
		 const std::string &labels,
		 const std::map<std::string, std::string> &compressed) const
	{
		mounting(device, copy);
		{
			const Mount first = attach(device, kFirst);

			cold_files(first, "stat-cold", "first-open-read");
			hot(first);
			send("cold-read-plain",
			     cold_read_cost(first.at(kLarge)));

			const Mount second = attach(copy, kSecond);

			cold_files(second, nullptr, "further-open-read");
		}
		labelled(labels);
		for (const auto &[operation, image] : compressed)
			send(operation.c_str(),
			     cold_read_cost(attach(image, kFirst).at(kLarge)));
	}

	/// Only what a short run has time for.
	void slice(const std::string &device, const std::string &labels) const
	{
		{
			const Mount first = attach(device, kFirst);

			cold_files(first, "stat-cold", "first-open-read");
			hot(first);
		}
		labelled(labels);
	}

      private:
	void send(const char *operation, double value) const
	{
		records_.send({{"event", "cost"},
			       {"operation", operation},
			       {"mode", shared_ ? "shared" : "plain"},
			       {"round", number_},
			       {"instructions", value}});
	}

	[[nodiscard]] Mount attach(const std::string &device,
				   const char *target) const
	{
		return mount_other("erofs", device, target, MS_RDONLY,
				   options_);
	}

	/// Mounts and unmounts with nothing read in between, which is counted
	/// by the time of this thread: unmounting waits for a grace period.
	void mount_and_unmount(const std::string &device, const char *target,
			       const char *mount_key,
			       const char *unmount_key) const
	{
		std::uint64_t least_mount = UINT64_MAX;
		std::uint64_t least_unmount = UINT64_MAX;

		for (int i = 0; i < kMountTries; i++) {
			const std::uint64_t start = thread_instructions();
			Mount mounted = attach(device, target);
			const std::uint64_t middle = thread_instructions();

			mounted.unmount();
			const std::uint64_t end = thread_instructions();
			least_mount = std::min(least_mount, middle - start);
			least_unmount = std::min(least_unmount, end - middle);
			settle_instructions();
		}
		send(mount_key, static_cast<double>(least_mount));
		send(unmount_key, static_cast<double>(least_unmount));
	}

	void mounting(const std::string &device, const std::string &copy) const
	{
		mount_and_unmount(device, kFirst, "mount-first",
				  "unmount-last");
		const Mount first = attach(device, kFirst);

		mount_and_unmount(copy, kSecond, "mount-further",
				  "unmount-further");
	}

	/// Looks at all small files without their inodes in memory, then opens
	/// and reads each for the first time.
	void cold_files(const Mount &mount, const char *stat_key,
			const char *open_key) const
	{
		std::vector<std::string> paths;
		std::array<char, 16384> buffer{};
		struct stat status {};

		paths.reserve(kSmallFiles);
		for (int i = 0; i < kSmallFiles; i++)
			paths.push_back(mount.at(small_name(i)));
		const auto look = [&] {
			for (const std::string &path : paths)
				if (stat(path.c_str(), &status) != 0)
					throw_errno("stat " + path);
		};
		// The image's metadata is in memory from the first look on.
		look();
		std::uint64_t best = UINT64_MAX;
		for (int i = 0; i < kColdTries; i++) {
			drop_caches(Drop::kSlab);
			settle_instructions();
			const std::uint64_t start = instructions();
			look();
			best = std::min(best, instructions() - start);
		}
		if (stat_key != nullptr)
			send(stat_key, static_cast<double>(best) / kSmallFiles);

		settle_instructions();
		const std::uint64_t start = instructions();
		for (const std::string &path : paths)
			read_some(open_quick(path.c_str()), buffer, 0);
		send(open_key,
		     static_cast<double>(instructions() - start) / kSmallFiles);
	}

	/// Files whose fingerprint is not their only attribute.
	void labelled(const std::string &device) const
	{
		cold_files(attach(device, kFirst), nullptr,
			   "first-open-read-labels");
	}

	void hot(const Mount &mount) const
	{
		static std::array<char, 4096> page;
		static std::array<char, 65536> pages;
		const std::string path = mount.at(kHot);
		const UniqueFd fd = open_quick(path.c_str());

		read_some(fd, pages, 0);
		send("open-close", hot_cost([&] { open_quick(path.c_str()); }));
		send("open-read-close", open_read_close_cost(path));
		send("pread-4k", hot_cost([&] { read_some(fd, page, 8192); }));
		send("pread-64k", hot_cost([&] { read_some(fd, pages, 0); }));
		send("mmap-fault", hot_cost([&] {
			     void *address =
				     mmap(nullptr, pages.size(), PROT_READ,
					  MAP_SHARED, fd.get(), 0);

			     if (address == MAP_FAILED)
				     throw_errno("mmap " + path);
			     static_cast<void>(
				     *static_cast<volatile char *>(address));
			     munmap(address, pages.size());
		     }));
	}

	const RecordWriter &records_;
	int number_;
	bool shared_;
	std::string options_;
};

Tree make_cost_tree()
{
	Tree tree{.name = "cost", .files = {}};

	// Half of the small files are smaller than a block, as in real trees.
	for (int i = 0; i < kSmallFiles; i++) {
		const auto number = static_cast<std::uint64_t>(i);

		tree.files.push_back({small_name(i), 500 + number * 7919 % 8000,
				      number + 1, Content::kText});
	}
	tree.files.push_back({kHot, kMebibyte, 5001, Content::kText});
	tree.files.push_back({kLarge, kLargeSize, 5002, Content::kText});
	return tree;
}

} // namespace

const std::vector<CostOperation> &cost_operations()
{
	constexpr double kAsPlain = 1.02;
	constexpr double kFirstOpen = 1.20;
	constexpr double kFirstOpenOfSeveral = 1.25;
	static const std::vector<CostOperation> kOperations = {
		{"stat-cold", "stat, cold", kAsPlain, true, false, ""},
		{"first-open-read", "first open+read+close", kFirstOpen, true,
		 false, "attaches the file and reads it from the image"},
		{"first-open-read-labels", "the same, with security.selinux",
		 kFirstOpenOfSeveral, true, false,
		 "has to look at all attributes of the file"},
		{"first-use", "stat and first open together", kFirstOpen, true,
		 false,
		 "mainline reads the fingerprint at the lookup, we at the "
		 "open"},
		{"further-open-read", "first open, another image has read it",
		 kFirstOpen, false, false,
		 "attaches the file, whose pages are there"},
		{"open-close", "open+close", kAsPlain, true, false, ""},
		{"open-read-close", "open+read 4 KiB+close", kAsPlain, true,
		 false, ""},
		{"pread-4k", "pread 4 KiB", kAsPlain, true, false, ""},
		{"pread-64k", "pread 64 KiB", kAsPlain, true, false, ""},
		{"mmap-fault", "mmap+fault+munmap", kAsPlain, true, false, ""},
		{"cold-read-plain", "cold read of a MiB, uncompressed",
		 kAsPlain, false, false, ""},
		{"cold-read-lz4", "cold read of a MiB, lz4", kAsPlain, false,
		 false, ""},
		{"cold-read-zstd", "cold read of a MiB, zstd", kAsPlain, false,
		 false, ""},
		{"mount-first", "mount, first of the domain", 0, false, true,
		 "makes the domain"},
		{"mount-further", "mount, further", 0, false, true, ""},
		{"unmount-further", "umount, further", 0, false, true, ""},
		{"unmount-last", "umount, last of the domain", 0, false, true,
		 "ends the domain"},
	};

	return kOperations;
}

const Tree &cost_tree()
{
	static const Tree kTree = make_cost_tree();

	return kTree;
}

ReadCosts measure_reads(const std::string &root)
{
	check_instruction_clock();
	return {.open_read_close = open_read_close_cost(root + "/" + kHot),
		.cold_read = cold_read_cost(root + "/" + kLarge)};
}

void measure_costs(const CostPlan &plan, const RecordWriter &records)
{
	int number = 0;
	std::map<std::string, std::string> compressed;

	check_instruction_clock();
	mkdir(kFirst, 0755);
	mkdir(kSecond, 0755);
	const std::string device = copy_to_ram_disk(plan.plain_disk, number++);
	const std::string labels = copy_to_ram_disk(plan.labels_disk, number++);
	const std::string copy =
		plan.slice ? "" : copy_to_ram_disk(plan.plain_disk, number++);
	for (const auto &[operation, serial] : plan.compressed)
		compressed[operation] = copy_to_ram_disk(serial, number++);

	for (int round = 0; round < plan.rounds; round++)
		for (const bool shared : {false, true}) {
			if (shared && !plan.sharing)
				continue;
			const Round one(records, round, shared);

			if (plan.slice)
				one.slice(device, labels);
			else
				one.all(device, copy, labels, compressed);
		}
}

} // namespace erofs_share
