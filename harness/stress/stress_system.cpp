// SPDX-License-Identifier: GPL-2.0-only
// The actions of a stress run that change what is there: mounts, memory, the
// module, devices.
#include "base/error.h"
#include "machine/kernel_module.h"
#include "machine/oom_reader.h"
#include "machine/page_cache.h"
#include "stress/stress_actions.h"

#include <array>
#include <csignal>
#include <stdexcept>
#include <sys/mount.h>

namespace erofs_share {

void StressActor::mount()
{
	world_.mount_any(random_);
}

void StressActor::unmount()
{
	const StressMountPtr mount = world_.any_mount(random_);

	if (!mount)
		return;
	switch (const int error = world_.unmount(mount, 0)) {
	case 0:
		world_.counts.add("unmounts");
		break;
	case EBUSY:
	case EINVAL: // somebody else was quicker
	case ENOENT:
		break;
	default:
		throw_error(error, "umount " + mount->text);
	}
}

void StressActor::detach()
{
	const StressMountPtr mount = world_.any_mount(random_);

	if (!mount)
		return;
	const int error = world_.unmount(mount, MNT_DETACH);
	if (error == 0)
		world_.counts.add("unmounts");
	else if (error != EINVAL && error != ENOENT)
		throw_error(error, "umount -l " + mount->text);
}

void StressActor::remount()
{
	const StressMountPtr mount = world_.any_mount(random_);

	if (!mount)
		return;
	MountOptions options;
	if (world_.shares() && below(random_, 2) == 0)
		options = MountOptions::sharing(DomainId::random());
	// Only to call remount(): the mount is the world's.
	Mount handle(mount->path, false);
	const MountOutcome outcome = handle.remount(
		options,
		below(random_, 2) == 0 ? MountApi::kFsopen : MountApi::kMount);
	handle.forget();
	if (mount->going > 0 || (mount->weak && mount->weak->failed_lately()))
		return;
	const int expected = options.inode_share ? EINVAL : 0;
	if (outcome.error != expected && mount->going == 0)
		throw std::runtime_error(
			"remount " + mount->text + ": expected errno " +
			std::to_string(expected) + ": " + outcome.text());
}

void StressActor::mount_with_bad_id()
{
	static const std::array<std::string, 2> kIds = {"",
							std::string(300, 'x')};
	MountOptions options = MountOptions::sharing(DomainId(kIds[0]));

	if (!world_.shares())
		return;
	switch (below(random_, 3)) {
	case 0:
		options.domain.reset();
		break;
	case 1:
		options.domain = DomainId(kIds[1]);
		break;
	default:
		break;
	}
	world_.mount_badly(random_, options);
}

void StressActor::reclaim()
{
	drop_caches(static_cast<Drop>(1 + below(random_, 3)));
}

void StressActor::unload()
{
	const int error = unload_module("erofs");

	switch (error) {
	case 0:
		world_.counts.add("rmmod succeeded");
		break;
	case EAGAIN:
	case EBUSY:
	case ENOENT: // another thread was quicker
		world_.counts.add("rmmod refused");
		return;
	default:
		throw_error(error, "rmmod erofs");
	}
	const int loaded = load_module(module_);
	if (loaded != 0 && loaded != EEXIST && loaded != EBUSY)
		throw_error(loaded, "insmod erofs.ko");
}

void StressActor::stall_device()
{
	if (world_.has_weak())
		world_.any_weak(random_).stall(
			std::chrono::milliseconds(50 + below(random_, 300)));
}

void StressActor::fail_device()
{
	if (world_.has_weak())
		world_.any_weak(random_).fail(
			std::chrono::milliseconds(20 + below(random_, 200)));
}

void StressActor::run_out_of_memory()
{
	const Target target = any_file();

	if (!target.mount || !world_.has_memory_groups())
		return;
	const OomResult result =
		read_until_oom_kill(target.mount->at(target.file->path));
	if (result.status == 128 + SIGKILL)
		world_.counts.add("OOM kills");
	else if (result.status != 1 || !is_explained(*target.mount, ENOENT))
		throw std::runtime_error("a reader of " + target.file->path +
					 " in " + target.mount->text +
					 ", in a full cgroup, ended with " +
					 std::to_string(result.status));
	// What it left behind has the right bytes.
	const UniqueFd fd = open(target);
	if (fd.valid())
		compare_read(*target.mount, *target.file, fd.get(),
			     any_range(*target.file, 1 << 20));
}

} // namespace erofs_share
