// SPDX-License-Identifier: GPL-2.0-only
// Many mounts and many files, counted by CPU time and kernel memory.
#include "bench/bench_scale.h"

#include "base/error.h"
#include "base/fd.h"
#include "bench/scale_images.h"
#include "content/images.h"
#include "machine/cpu_time.h"
#include "machine/kernel_memory.h"
#include "machine/mount.h"
#include "machine/page_cache.h"

#include <array>
#include <fcntl.h>
#include <map>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace erofs_share {

namespace {

constexpr std::array kModes = {ShareMode::kPlain, ShareMode::kOneDomain,
			       ShareMode::kOwnDomains};

/// A file a mount, and some more.
void allow_open_files(std::uint64_t count)
{
	const rlimit limit = {count + 100, count + 100};

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		throw_errno("setrlimit RLIMIT_NOFILE");
}

MountOptions options_for(ShareMode mode, const DomainId &one)
{
	switch (mode) {
	case ShareMode::kPlain:
		break;
	case ShareMode::kOneDomain:
		return MountOptions::sharing(one);
	case ShareMode::kOwnDomains:
		return MountOptions::sharing(DomainId::random());
	}
	return {};
}

/// Reads the images, so that no mount of them waits for the disk.
void warm(const std::vector<std::string> &images)
{
	for (const std::string &image : images)
		read_through(image);
}

std::uint64_t more(std::uint64_t now, std::uint64_t before)
{
	return now > before ? now - before : 0;
}

/// KB that the kernel uses by now, without dropping any cache.
std::uint64_t used_kilobytes()
{
	return current_kernel_memory().used;
}

void measure_mode(ShareMode mode, const std::vector<std::string> &images,
		  std::uint64_t count, const SendRecord &send)
{
	const DomainId domain = DomainId::random();
	// Once here, so that what reading takes is there before and after.
	warm(images);
	const KernelMemory before = settled_kernel_memory();
	std::vector<std::uint64_t> mounting;
	std::vector<std::uint64_t> opening;
	std::vector<std::uint64_t> unmounting;
	std::vector<Mount> mounts;
	std::vector<UniqueFd> files;

	warm(images);
	mounts.reserve(count);
	for (std::uint64_t i = 0; i < count; i++) {
		const MountOptions options = options_for(mode, domain);
		const std::string &image = images[i % images.size()];
		const Spent spent;

		mounts.push_back(mount_erofs(image, options));
		mounting.push_back(spent.cpu());
	}
	for (const Mount &mount : mounts) {
		const std::string path = mount.at(scale_path(0));
		const Spent spent;

		files.push_back(open_file(path, O_RDONLY));
		opening.push_back(spent.cpu());
	}
	const KernelMemory full = settled_kernel_memory();
	warm(images);
	files.clear();
	const Spent all;
	for (Mount &mount : mounts) {
		const Spent spent;

		mount.unmount();
		unmounting.push_back(spent.cpu());
	}
	send({{"event", "bench"},
	      {"name", "mounts"},
	      {"count", count},
	      {"same", images.size() == 1 && count > 1},
	      {"mode", mode_name(mode)},
	      {"mount", mounting},
	      {"open", opening},
	      {"umount", unmounting},
	      {"umount_elapsed", all.elapsed()},
	      {"used", more(full.used, before.used)},
	      {"slab", more(full.slab, before.slab)},
	      {"percpu", more(full.percpu, before.percpu)}});
}

/// Opens and closes files of @mount one after the other, and tells @reached
/// their count at each power of ten: with the time for each of the last tenth.
void open_all(
	const Mount &mount, std::uint64_t count,
	const std::function<void(std::uint64_t count, double each)> &reached)
{
	std::uint64_t done = 0;

	for (std::uint64_t goal = 1000; goal <= count; goal *= 10) {
		const std::uint64_t measured = goal / 10;

		for (; done < goal - measured; done++)
			open_file(mount.at(scale_path(done)), O_RDONLY);
		const Spent spent;
		for (; done < goal; done++)
			open_file(mount.at(scale_path(done)), O_RDONLY);
		const std::uint64_t cost = spent.cpu();
		reached(goal, static_cast<double>(cost) /
				      static_cast<double>(measured));
	}
}

} // namespace

const char *mode_name(ShareMode mode)
{
	switch (mode) {
	case ShareMode::kPlain:
		break;
	case ShareMode::kOneDomain:
		return "one";
	case ShareMode::kOwnDomains:
		return "own";
	}
	return "plain";
}

Mount mount_image_store()
{
	constexpr const char *kTarget = "/images";
	const std::string disk = disk_called("images");

	if (mkdir(kTarget, 0755) != 0 && errno != EEXIST)
		throw_errno(std::string("mkdir ") + kTarget);
	return mount_other("ext4", disk, kTarget, MS_RDONLY, "noload");
}

void measure_mounts(std::uint64_t count, bool same, const SendRecord &send)
{
	const Mount store = mount_image_store();
	std::vector<std::string> images;

	allow_open_files(count);
	for (std::uint64_t i = 0; i < (same ? 1 : count); i++)
		images.push_back(store.at(std::to_string(i) + ".erofs"));
	for (const ShareMode mode : kModes)
		measure_mode(mode, images, count, send);
}

void measure_files(std::uint64_t count, const SendRecord &send)
{
	const Mount store = mount_image_store();
	const std::string image = store.at("many.erofs");
	std::map<std::uint64_t, Record> records;
	const auto walk = [&](const std::string &what, const Mount &mount) {
		warm({image});
		const std::uint64_t before = used_kilobytes();
		open_all(mount, count, [&](std::uint64_t reached, double each) {
			Record &record = records[reached];

			record[what] = each;
			record[what + "_used"] = more(used_kilobytes(), before);
		});
	};

	{
		const Mount mount = mount_erofs(image);

		settled_kernel_memory();
		walk("plain", mount);
	}
	const MountOptions sharing = MountOptions::sharing(DomainId::random());
	const Mount first = mount_erofs(image, sharing);
	const Mount second = mount_erofs(image, sharing);
	settled_kernel_memory();
	walk("made", first);
	// Not settled again: that would evict the files of the first mount.
	walk("found", second);
	for (auto &[reached, record] : records) {
		record["event"] = "bench";
		record["name"] = "files";
		record["count"] = reached;
		send(record);
	}
}

} // namespace erofs_share
