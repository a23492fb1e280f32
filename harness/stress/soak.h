// SPDX-License-Identifier: GPL-2.0-only
// Mounting, reading and unmounting over and over, to find what each time leaves
// behind. Runs in a guest.
#pragma once

#include "content/images.h"
#include "machine/kernel_memory.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace erofs_share {

/// How long and how often.
struct SoakPlan {
	std::uint64_t cycles = 1000;
	/// Cycles after which erofs.ko is unloaded, loaded again, and memory is
	/// read.
	std::uint64_t batch = 1000;
	/// File of the module.
	std::string module = "/modules/erofs.ko";
};

/// A reading between batches.
struct SoakReading {
	std::uint64_t cycle = 0;
	KernelMemory memory; ///< with the module loaded and nothing mounted
	/// Objects in erofs' caches before the module was unloaded.
	std::uint64_t left_objects = 0;
};

/// What a soak found.
struct SoakResult {
	std::vector<SoakReading> readings;
	std::vector<std::string> failures; ///< a sentence each
	std::uint64_t files = 0;	   ///< read and found right
};

/// Runs @plan with images of @store that this kernel can mount. A cycle mounts
/// one or two images, as disks, loop devices or files, in a domain of their own
/// or without sharing, or fails to; reads some of their files, compares them,
/// and unmounts in one or the other order. @tell gets each reading as it is
/// made. The last reading is judged against those of the first half, of which
/// the very first does not count. What has grown must grow again in half as
/// many cycles more, or it is no failure.
SoakResult soak(const ImageStore &store, const SoakPlan &plan,
		const std::function<void(const SoakReading &)> &tell);

} // namespace erofs_share
