// SPDX-License-Identifier: GPL-2.0-only
// The scale benchmark's tables, from what its guests have sent.
#pragma once

#include <string>
#include <vector>

namespace erofs_share {

/// What all tables of a run have in common, and where its guests are.
struct ScaleBench {
	std::vector<std::string> guests; ///< run-guest's --dir, of each
	std::string out;		 ///< where NAME.json goes
	std::string qemu;
	std::string command;
};

/// Writes scale-mount, -open, -umount and -memory.json from records "mounts",
/// scale-files.json from "files", scale-threads.json from "threads" and
/// scale-locks.json from "locks", each where there are any. Throws.
void write_scale_tables(const ScaleBench &bench);

} // namespace erofs_share
