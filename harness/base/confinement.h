// SPDX-License-Identifier: GPL-2.0-only
// What a process gives up for good before it runs a program that nobody should
// trust. All of this is for a forked child of a program with threads: nothing
// here allocates memory.
#pragma once

#include <cstdint>
#include <span>
#include <sys/types.h>

namespace erofs_share {

/// What the kernel had for us.
struct Confinement {
	bool namespaces = false;
	bool landlock = false;
	bool seccomp = false;
};

/// How much a process may take. None gets more than it had.
struct ProcessLimits {
	std::uint64_t seconds = 0; ///< of computing
	std::uint64_t memory = std::uint64_t{1} << 30;
	std::uint64_t file = 0; ///< bytes of a file that it writes
};

/// Limits this process so, its descriptors as well, and lets it write no core.
/// Returns false if it would have more: then it must end.
bool limit_process(const ProcessLimits &limits);

/// What a confined process may still do.
struct Permission {
	pid_t parent = 0; ///< which it does not survive
	uid_t user = 0;	  ///< and group, that root becomes
	ProcessLimits limits;
	int program = -1;	       ///< it may execute; negative for none
	std::span<const int> readable; ///< files
	int writable = -1;	       ///< a directory; negative for none
};

/// Gives up everything else. Fills in @found. Returns false if the process
/// would keep what it must not: then it must end.
bool confine(const Permission &permission, Confinement &found);

} // namespace erofs_share
