// SPDX-License-Identifier: GPL-2.0-only
// Clocks that count instructions.
#include "machine/instruction_clock.h"

#include "base/error.h"

#include <algorithm>
#include <ctime>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace erofs_share {

namespace {

std::uint64_t read_clock(clockid_t clock)
{
	constexpr std::uint64_t kSecond = 1'000'000'000;
	timespec now{};

	if (clock_gettime(clock, &now) != 0)
		throw_errno("clock_gettime");
	return static_cast<std::uint64_t>(now.tv_sec) * kSecond +
	       static_cast<std::uint64_t>(now.tv_nsec);
}

} // namespace

std::uint64_t instructions()
{
	return read_clock(CLOCK_MONOTONIC);
}

std::uint64_t thread_instructions()
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void check_instruction_clock()
{
	constexpr std::uint64_t kTurns = 500'000;
	constexpr std::uint64_t kExpected = 2 * kTurns;
	constexpr std::uint64_t kMost = kExpected + kExpected / 50;
	constexpr int kTries = 50;
	std::uint64_t best = UINT64_MAX;

	// A kernel that has just booted may still be busy with its own tests.
	for (int i = 0; i < kTries && best > kMost; i++) {
		settle_instructions();
		std::uint64_t left = kTurns;
		const std::uint64_t start = instructions();

		// Two instructions a turn, whatever the compiler thinks of it.
		asm volatile("1: dec %0\n\tjnz 1b" : "+r"(left) : : "cc");
		best = std::min(best, instructions() - start);
	}
	if (best < kExpected || best > kMost)
		throw std::runtime_error(
			"the clock does not count instructions: " +
			std::to_string(kExpected) + " took " +
			std::to_string(best) +
			"; expected a guest with one CPU and --icount "
			"shift=0,sleep=off");
}

void settle_instructions()
{
	constexpr unsigned int kPause = 100'000; // microseconds

	usleep(kPause);
}

} // namespace erofs_share
