// SPDX-License-Identifier: GPL-2.0-only
// What the threads of a stress run share: the images, what of them is mounted
// where, devices that stall and fail, counters, and the first failures.
#pragma once

#include "content/images.h"
#include "machine/dm_device.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace erofs_share {

using StressRandom = std::mt19937_64;

/// A number in [0, @end).
inline std::uint64_t below(StressRandom &random, std::uint64_t end)
{
	return random() % end;
}

/// An image on a device that stalls and fails at times.
class WeakDisk {
      public:
	/// Puts a device mapper device in front of @disk, which has @image.
	WeakDisk(const Image &image, const std::string &disk)
	    : image_(&image), device_(disk)
	{
	}
	[[nodiscard]] const Image &image() const
	{
		return *image_;
	}
	[[nodiscard]] const std::string &path() const
	{
		return device_.path();
	}
	/// Holds reads back for @time, or fails them. Does nothing while
	/// another thread does it.
	void stall(std::chrono::milliseconds time);
	void fail(std::chrono::milliseconds time);
	/// Whether reads may have failed just now.
	[[nodiscard]] bool failed_lately() const;

      private:
	const Image *image_;
	DmDevice device_;
	std::mutex mutex_;
	std::atomic<bool> failing_ = false;
	std::atomic<std::chrono::steady_clock::rep> failed_until_ = 0;
};

/// One mount, kept by whoever uses it. No path is used for a second one.
struct StressMount {
	std::string path;
	const Image *image = nullptr;
	WeakDisk *weak = nullptr; ///< the device it is on, if it is such
	std::string text;	  ///< image, way, domain: for messages
	/// Calls that unmount it right now, and the one that has: while there
	/// are any, its files may be gone.
	std::atomic<int> going = 0;

	[[nodiscard]] std::string at(const std::string &name) const
	{
		return path + "/" + name;
	}
};

/// Whether @error of a call on @mount is explained by somebody who unmounts it,
/// or by its device.
bool is_explained(const StressMount &mount, int error);

using StressMountPtr = std::shared_ptr<StressMount>;

/// Counters by name; those of the actions are their names.
class StressCounts {
      public:
	void add(const std::string &name, std::uint64_t count = 1);
	[[nodiscard]] std::map<std::string, std::uint64_t> all() const;

      private:
	mutable std::mutex mutex_;
	std::map<std::string, std::uint64_t> counts_;
};

/// All of it. Every member function can be called by any thread.
class StressWorld {
      public:
	/// Finds out what the kernel can do. Throws without images.
	StressWorld();

	/// Tries to mount any image in any way; has room() or does nothing.
	/// Throws when the kernel refuses for no reason known.
	void mount_any(StressRandom &random);
	/// Tries to mount any image with @options, which are wrong. Throws
	/// unless the kernel says EINVAL.
	void mount_badly(StressRandom &random, const MountOptions &options);
	/// A mount, or none.
	[[nodiscard]] StressMountPtr any_mount(StressRandom &random) const;
	[[nodiscard]] std::vector<StressMountPtr> mounts() const;
	/// umount2(2) with @flags. Returns the errno; 0 when it is unmounted.
	int unmount(const StressMountPtr &mount, int flags);

	/// Options of one of the domains, or of none.
	[[nodiscard]] MountOptions any_options(StressRandom &random,
					       std::string &text) const;
	[[nodiscard]] WeakDisk &any_weak(StressRandom &random)
	{
		return weak_[below(random, weak_.size())];
	}
	[[nodiscard]] bool has_weak() const
	{
		return !weak_.empty();
	}
	[[nodiscard]] bool shares() const
	{
		return shares_;
	}
	[[nodiscard]] bool has_memory_groups() const
	{
		return has_memory_groups_;
	}

	StressCounts counts;

      private:
	std::pair<std::optional<Mount>, MountOutcome>
	try_any(StressRandom &random, StressMount &mount);

	ImageStore store_;
	std::vector<const Image *> images_;
	std::vector<DomainId> domains_;
	std::deque<WeakDisk> weak_;
	bool shares_ = false;
	bool has_files_ = false;
	bool has_memory_groups_ = false;
	mutable std::mutex mutex_;
	std::vector<StressMountPtr> mounts_;
};

} // namespace erofs_share
