// SPDX-License-Identifier: GPL-2.0-only
// Programs and readers that see what anybody may have made run without root's
// rights, and end with who started them.
#pragma once

#include <sys/types.h>

namespace erofs_share {

/// A user that a process of root's becomes.
struct Stranger {
	bool needed = false; ///< only root has rights to give up
	uid_t id = 0;
};

/// A user that nobody else is, so that nobody can look into its processes or
/// open its files. Where the system has few users, as some containers do, it is
/// nobody. Throws.
Stranger make_stranger();

/// The one that runs the programs that read images: always the same, as they
/// run at once. The first call must come before there are other threads.
const Stranger &reading_stranger();

/// In a new process: becomes @stranger where that is needed, for good; no
/// program gets rights back, no core is written, and the process ends when
/// @parent, which started it, does. Returns whether all of it is so.
bool become_stranger(const Stranger &stranger, pid_t parent);

} // namespace erofs_share
