// SPDX-License-Identifier: GPL-2.0-only
// Mounts, weak devices and counters of a stress run.
#include "stress/stress_world.h"

#include "base/error.h"
#include "machine/cgroup.h"

#include <algorithm>
#include <array>
#include <sys/mount.h>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

using Clock = std::chrono::steady_clock;

/// Three trees in many encodings: the same files over and over.
constexpr std::array<const char *, 16> kImages = {
	"enc-plain",  "enc-noinline", "enc-chunk", "enc-lz4",
	"enc-lz4hc",  "enc-zstd",     "enc-lzma",  "enc-fragments",
	"4k-inline",  "4k-blob",      "4k-dedupe", "4k-allfragments",
	"512-inline", "dup-a",	      "dup-b",	   "no-fingerprint"};
/// Their disks are there a second time, for device mapper devices.
constexpr std::array<const char *, 3> kWeak = {"enc-plain", "enc-lz4",
					       "enc-chunk"};
constexpr std::size_t kDomains = 3;
constexpr std::size_t kMostMounts = 28;

/// Errors of a mount that was asked for at a bad moment.
bool may_refuse(const StressMount &mount, int error)
{
	switch (error) {
	case EBUSY:  // mounted already, with other options
	case ENODEV: // erofs.ko is not loaded
		return true;
	default:
		return mount.weak != nullptr && mount.weak->failed_lately();
	}
}

} // namespace

void WeakDisk::stall(std::chrono::milliseconds time)
{
	const std::unique_lock lock(mutex_, std::try_to_lock);

	if (!lock.owns_lock())
		return;
	const HeldReads held(device_);
	std::this_thread::sleep_for(time);
}

void WeakDisk::fail(std::chrono::milliseconds time)
{
	const std::unique_lock lock(mutex_, std::try_to_lock);

	if (!lock.owns_lock())
		return;
	failing_ = true;
	device_.fail_reads();
	std::this_thread::sleep_for(time);
	device_.pass_reads();
	failed_until_ = Clock::now().time_since_epoch().count();
	failing_ = false;
}

bool WeakDisk::failed_lately() const
{
	// A read that began in time may report its failure this much later.
	constexpr Clock::duration kLate = std::chrono::seconds(5);

	return failing_ || Clock::now().time_since_epoch().count() <
				   failed_until_ + kLate.count();
}

bool is_explained(const StressMount &mount, int error)
{
	if (mount.weak != nullptr && mount.weak->failed_lately())
		return true;
	return mount.going > 0 &&
	       (error == ENOENT || error == EINVAL || error == ENODEV);
}

void StressCounts::add(const std::string &name, std::uint64_t count)
{
	const std::scoped_lock lock(mutex_);

	counts_[name] += count;
}

std::map<std::string, std::uint64_t> StressCounts::all() const
{
	const std::scoped_lock lock(mutex_);

	return counts_;
}

StressWorld::StressWorld()
{
	for (const char *name : kImages) {
		const Image &image = store_.find(name);

		if (try_mount_image(image, Via::kDisk).first)
			images_.push_back(&image);
	}
	if (images_.empty())
		throw_error(ENODEV, "an image that can be mounted");
	for (std::size_t i = 0; i < kDomains; i++)
		domains_.push_back(DomainId::random());
	shares_ = try_mount_image(*images_[0], Via::kDisk,
				  MountOptions::sharing(domains_[0]))
			  .first.has_value();
	has_files_ = try_mount_image(*images_[0], Via::kFile).first.has_value();
	for (const char *name : kWeak)
		if (const auto disk = find_disk(std::string("weak-") + name))
			weak_.emplace_back(store_.find(name), *disk);
	try {
		const Cgroup probe;

		has_memory_groups_ = true;
	} catch (const std::system_error &) {
		has_memory_groups_ = false;
	}
}

MountOptions StressWorld::any_options(StressRandom &random,
				      std::string &text) const
{
	const std::uint64_t choice = below(random, 8);

	if (!shares_ || choice == 7) {
		text += ", not sharing";
		return {};
	}
	// One domain has most of the mounts.
	const std::size_t number = choice < 5 ? 0 : choice - 4;
	text += ", domain " + std::to_string(number);
	return MountOptions::sharing(domains_[number]);
}

std::pair<std::optional<Mount>, MountOutcome>
StressWorld::try_any(StressRandom &random, StressMount &mount)
{
	const std::uint64_t way = below(random, 8);

	if (way == 0 && has_weak()) {
		mount.weak = &any_weak(random);
		mount.image = &mount.weak->image();
		mount.text = mount.image->name + " on a weak disk";
		const MountOptions options = any_options(random, mount.text);
		return try_mount_erofs(mount.weak->path(), options);
	}
	const Via via = way < 3			? Via::kDisk
			: has_files_ && way < 6 ? Via::kFile
						: Via::kLoop;
	mount.image = images_[below(random, images_.size())];
	mount.text = mount.image->name + (via == Via::kDisk   ? " as disk"
					  : via == Via::kLoop ? " as loop"
							      : " as file");
	const MountOptions options = any_options(random, mount.text);
	return try_mount_image(*mount.image, via, options);
}

void StressWorld::mount_any(StressRandom &random)
{
	if (mounts().size() >= kMostMounts)
		return;
	auto mount = std::make_shared<StressMount>();
	auto [mounted, outcome] = try_any(random, *mount);

	if (!mounted) {
		if (!may_refuse(*mount, outcome.error))
			throw_error(outcome.error, "mount " + mount->text +
							   ": " +
							   outcome.text());
		counts.add("mounts refused");
		return;
	}
	mount->path = mounted->path();
	// Unmounted by path from here on, by whoever comes first.
	mounted->forget();
	counts.add("mounts");
	const std::scoped_lock lock(mutex_);
	mounts_.push_back(std::move(mount));
}

void StressWorld::mount_badly(StressRandom &random, const MountOptions &options)
{
	const Image &image = *images_[below(random, images_.size())];
	const auto [mounted, outcome] = try_mount_image(
		image, below(random, 2) == 0 ? Via::kDisk : Via::kLoop,
		options);

	if (outcome.error != EINVAL && outcome.error != ENODEV)
		throw_error(outcome.error,
			    "mount " + image.name +
				    " with a bad domain id: " + outcome.text());
}

StressMountPtr StressWorld::any_mount(StressRandom &random) const
{
	const std::scoped_lock lock(mutex_);

	if (mounts_.empty())
		return nullptr;
	return mounts_[below(random, mounts_.size())];
}

std::vector<StressMountPtr> StressWorld::mounts() const
{
	const std::scoped_lock lock(mutex_);

	return mounts_;
}

int StressWorld::unmount(const StressMountPtr &mount, int flags)
{
	mount->going++;
	if (umount2(mount->path.c_str(), flags | UMOUNT_NOFOLLOW) != 0) {
		const int error = errno;

		mount->going--;
		return error;
	}
	rmdir(mount->path.c_str());
	const std::scoped_lock lock(mutex_);
	mounts_.erase(std::remove(mounts_.begin(), mounts_.end(), mount),
		      mounts_.end());
	return 0;
}

} // namespace erofs_share
