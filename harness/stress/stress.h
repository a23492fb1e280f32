// SPDX-License-Identifier: GPL-2.0-only
// Many threads that mount, unmount, read, map, reclaim and unload at random,
// and compare every byte that they read. Runs in a guest.
//
// stress_world.h has what the threads share, stress_actions.cpp what they do.
#pragma once

#include "wire/record.h"

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// How long, how, and with how many.
struct StressPlan {
	unsigned int seconds = 60;
	/// Equal seeds choose equal actions for each thread; how the threads
	/// meet is the scheduler's choice.
	std::uint64_t seed = 1;
	unsigned int threads = 12;
	/// Seconds between the points at which all is unmounted, memory is
	/// searched for leaks, and the module is unloaded and loaded.
	unsigned int round = 60;
	/// File of the module.
	std::string module = "/modules/erofs.ko";
};

/// Runs @plan and sends records "stress" while it goes on and "stress-end" with
/// counts and failures. Returns whether nothing failed.
bool run_stress(const StressPlan &plan, const RecordWriter &records);

} // namespace erofs_share
