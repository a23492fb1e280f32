// SPDX-License-Identifier: GPL-2.0-only
// A reader that the OOM killer ends in the middle of a read.
#pragma once

#include <string>

namespace erofs_share {

/// How a reader came to its end.
struct OomResult {
	/// As Child::wait() has it: 128 + SIGKILL when it was killed, 1 when
	/// the file could not be opened or read, 2 when nothing happened.
	int status = 0;
	/// Kills that the kernel counted in its group.
	unsigned long kills = 0;
};

/// Reads the file at @path over and over in a new process, in a memory cgroup
/// that another process fills until the OOM killer comes; it prefers the
/// reader. Throws when there is no memory controller.
OomResult read_until_oom_kill(const std::string &path);

} // namespace erofs_share
