// SPDX-License-Identifier: GPL-2.0-only
// What a piece of work cost: on a guest that counts instructions (run-guest
// --icount shift=0,sleep=off) a nanosecond is one instruction.
#pragma once

#include <cstdint>
#include <ctime>

namespace erofs_share {

/// Time since construction.
class Spent {
      public:
	Spent() : cpu_(now(CLOCK_THREAD_CPUTIME_ID)), all_(now(CLOCK_MONOTONIC))
	{
	}
	/// Nanoseconds that this thread ran, in the kernel and outside.
	[[nodiscard]] std::uint64_t cpu() const
	{
		return now(CLOCK_THREAD_CPUTIME_ID) - cpu_;
	}
	/// Nanoseconds that passed, with all waiting.
	[[nodiscard]] std::uint64_t elapsed() const
	{
		return now(CLOCK_MONOTONIC) - all_;
	}

      private:
	static std::uint64_t now(clockid_t clock)
	{
		timespec time{};

		clock_gettime(clock, &time);
		return static_cast<std::uint64_t>(time.tv_sec) * 1000000000U +
		       static_cast<std::uint64_t>(time.tv_nsec);
	}

	std::uint64_t cpu_;
	std::uint64_t all_;
};

} // namespace erofs_share
