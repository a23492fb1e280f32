// SPDX-License-Identifier: GPL-2.0-only
// The scale benchmark's many threads: opens in a second with and without
// sharing, and the locks that they wait for where the kernel counts that.
#pragma once

#include "bench/bench_scale.h"

#include <cstdint>

namespace erofs_share {

/// How much to do.
struct ThreadPlan {
	std::uint64_t threads = 16;
	std::uint64_t rounds = 9;
	/// Files that each thread has for itself in the image "many".
	std::uint64_t files = 200;
	/// How often each opens one of them in a round.
	std::uint64_t opens = 2000;
};

/// Lets threads, and a single one, open and close files of a plain and of a
/// sharing mount of the image "many" in turn. Sends a record for each way: name
/// ("threads"), way ("first": files of their own for the first time, "again":
/// these once more, "same": all the same file), threads, and in plain and
/// shared opens in a second, a number a round. Throws.
void measure_threads(const ThreadPlan &plan, const SendRecord &send);

/// Does the same once with the kernel's lock statistics on. Sends a record for
/// each way: name ("locks"), way, opens, and in plain and shared how often
/// somebody waited, by lock. Throws ENOTSUP where the kernel has no
/// CONFIG_LOCK_STAT.
void measure_locks(const ThreadPlan &plan, const SendRecord &send);

} // namespace erofs_share
