// SPDX-License-Identifier: GPL-2.0-only
// The checks between the rounds of a stress run.
#include "stress/stress_check.h"

#include "base/proc.h"
#include "machine/kernel_module.h"
#include "machine/kmemleak.h"

#include <chrono>
#include <filesystem>
#include <sys/mount.h>
#include <thread>
#include <utility>

namespace erofs_share {

namespace {

constexpr const char *kCaches = "erofs";
constexpr int kTries = 100;
constexpr auto kPause = std::chrono::milliseconds(100);

/// The kernel keeps a loop device once it was made, with a backing device.
std::uint64_t count_loop_devices()
{
	std::uint64_t count = 0;

	for (const auto &entry :
	     std::filesystem::directory_iterator("/sys/block"))
		if (entry.path().filename().string().rfind("loop", 0) == 0)
			count++;
	return count;
}

} // namespace

StressCheck::StressCheck(StressWorld &world,
			 std::function<void(const std::string &)> fail)
    : world_(world), fail_(std::move(fail))
{
}

void StressCheck::begin()
{
	unload();
	if (kmemleak_works())
		kmemleak_clear();
	before_ = settled_kernel_memory(kCaches);
	loops_ = count_loop_devices();
}

void StressCheck::look_around()
{
	unmount_all();
	for (const std::string &target : erofs_mounts())
		fail_("still mounted: " + target);
	// With the module loaded, so that traces have names.
	find_leaks();
	const std::uint64_t left =
		settled_kernel_memory(kCaches).erofs_objects();
	if (left != 0)
		fail_(std::to_string(left) + " objects left in erofs' caches");
	unload();
	after_ = settled_kernel_memory(kCaches);
	const std::uint64_t expected =
		before_.backing_devices + count_loop_devices() - loops_;
	if (after_.backing_devices > expected)
		fail_("superblocks left: " +
		      std::to_string(after_.backing_devices) +
		      " backing devices instead of " +
		      std::to_string(expected));
}

void StressCheck::unmount_all()
{
	for (const StressMountPtr &mount : world_.mounts()) {
		int error = EBUSY;

		// The kernel closes some files a moment later.
		for (int tries = 0; tries < kTries && error == EBUSY; tries++) {
			error = world_.unmount(mount, 0);
			if (error == EBUSY)
				std::this_thread::sleep_for(kPause);
		}
		if (error != 0)
			fail_("umount " + mount->text +
			      " when nobody uses it: " +
			      std::generic_category().message(error));
	}
}

void StressCheck::find_leaks()
{
	if (!kmemleak_works())
		return;
	const std::string found = kmemleak_scan();
	if (!found.empty())
		fail_("memory that the kernel has lost:\n" + found);
	world_.counts.add("leak scans");
}

void StressCheck::unload()
{
	int error = EAGAIN;

	// Superblocks that were detached may be on their way out.
	for (int tries = 0; tries < kTries && error != 0; tries++) {
		error = unload_module("erofs");
		if (error == ENOENT)
			error = 0;
		if (error != 0)
			std::this_thread::sleep_for(kPause);
	}
	if (error != 0)
		fail_("rmmod erofs with nothing mounted: " +
		      std::generic_category().message(error));
	else
		world_.counts.add("rmmod succeeded");
}

} // namespace erofs_share
