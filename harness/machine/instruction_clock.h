// SPDX-License-Identifier: GPL-2.0-only
// Clocks that count instructions: in a guest whose virtual time advances by a
// nanosecond an instruction (QEMU's -icount shift=0), the kernel's clocks do.
#pragma once

#include <cstdint>

namespace erofs_share {

/// Instructions of the whole guest so far, and what it slept.
std::uint64_t instructions();

/// Instructions that the calling thread was running for, in the kernel or not:
/// without those of others and of sleep, for calls that wait.
std::uint64_t thread_instructions();

/// Throws unless a loop of known length takes that long by the clock: a guest
/// that was started otherwise would give numbers all the same.
void check_instruction_clock();

/// Waits until what the kernel has put off (memory that is freed after a grace
/// period, work that the last operation left) is done.
void settle_instructions();

} // namespace erofs_share
