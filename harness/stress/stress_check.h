// SPDX-License-Identifier: GPL-2.0-only
// What must hold between the rounds of a stress run, when all threads are idle
// and hold nothing.
#pragma once

#include "machine/kernel_memory.h"
#include "stress/stress_world.h"

#include <functional>
#include <string>

namespace erofs_share {

/// The checks of a run, and the memory that they compare.
class StressCheck {
      public:
	/// @fail gets a sentence for each thing that does not hold.
	StressCheck(StressWorld &world,
		    std::function<void(const std::string &)> fail);

	/// Before the first round: unloads the module, reads memory. Throws.
	void begin();
	/// After a round: everything can be unmounted, kmemleak finds nothing,
	/// the module unloads, and no superblock of a domain is left. Leaves
	/// the module unloaded. Throws.
	void look_around();

	[[nodiscard]] const KernelMemory &before() const
	{
		return before_;
	}
	[[nodiscard]] const KernelMemory &after() const
	{
		return after_;
	}

      private:
	void unmount_all();
	void find_leaks();
	void unload();

	StressWorld &world_;
	std::function<void(const std::string &)> fail_;
	std::uint64_t loops_ = 0;
	KernelMemory before_;
	KernelMemory after_;
};

} // namespace erofs_share
