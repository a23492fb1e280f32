// SPDX-License-Identifier: GPL-2.0-only
// What a thread of a stress run does: one action after the other, chosen at
// random, each of which compares what it reads.
#pragma once

#include "base/fd.h"
#include "stress/stress_world.h"

#include <span>
#include <string>
#include <vector>

namespace erofs_share {

class StressActor;

/// A kind of action.
struct StressAction {
	const char *name;
	unsigned int weight; ///< how often, relative to the others
	void (StressActor::*act)();
};

/// Part of a file that is open or mapped over many actions.
struct StressHold {
	StressMountPtr mount;
	const FileSpec *file = nullptr;
	UniqueFd fd;
	std::span<std::byte> mapped; ///< empty when it is only open
	std::uint64_t from = 0;	     ///< of what is mapped

	StressHold() = default;
	StressHold(const StressHold &) = delete;
	StressHold &operator=(const StressHold &) = delete;
	StressHold(StressHold &&other) noexcept;
	StressHold &operator=(StressHold &&other) noexcept;
	~StressHold();
};

/// The actions of one thread, and what it holds between them.
class StressActor {
      public:
	StressActor(StressWorld &world, std::uint64_t seed, std::string module)
	    : world_(world), random_(seed), module_(std::move(module))
	{
	}

	/// All kinds of actions.
	static const std::vector<StressAction> &actions();
	/// Chooses one.
	[[nodiscard]] const StressAction &choose();
	/// Does it. Throws, with a message, when anything came out wrong.
	void act(const StressAction &action);
	/// Closes and unmaps what is held.
	void release_all()
	{
		holds_.clear();
	}

      private:
	friend const std::vector<StressAction> &stress_actions();

	// stress_actions.cpp: reading
	void read_small();
	void read_part();
	void map_part();
	void read_same_file_everywhere();
	void keep_open();
	void use_kept();
	void drop_kept();
	void read_ahead();
	void evict();
	void status();
	void attributes();
	void read_through_overlay();

	// stress_system.cpp: all around it
	void mount();
	void unmount();
	void detach();
	void remount();
	void mount_with_bad_id();
	void reclaim();
	void unload();
	void stall_device();
	void fail_device();
	void run_out_of_memory();

	/// A mount that was found, and a file of it.
	struct Target {
		StressMountPtr mount;
		const FileSpec *file = nullptr;
	};
	Target any_file(std::uint64_t most_bytes = UINT64_MAX);
	/// A range of up to @most bytes of @file.
	ByteRange any_range(const FileSpec &file, std::uint64_t most);
	UniqueFd open(const Target &target);
	/// Throws when bytes [@from, ...) of @target are not @bytes.
	void compare(const StressMount &mount, const FileSpec &file,
		     std::span<const std::byte> bytes, std::uint64_t from);
	void compare_read(const StressMount &mount, const FileSpec &file,
			  int fd, const ByteRange &range);

	StressWorld &world_;
	StressRandom random_;
	std::string module_;
	std::vector<StressHold> holds_;
};

} // namespace erofs_share
