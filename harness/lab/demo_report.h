// SPDX-License-Identifier: GPL-2.0-only
// The demonstration's part on the host: what the guest measured beside what
// whole-file sharing could save at most.
#pragma once

#include <ostream>
#include <string>

namespace erofs_share {

/// Prints the table and one sentence for the "demo" record in the file
/// @records and the limits in @limit (limit.json of the demo images).
/// Returns whether the saving came within two points of the limit and the mount
/// lines show inode_share and no domain id. Throws when either file lacks
/// something.
bool print_demo(std::ostream &out, const std::string &records,
		const std::string &limit);

} // namespace erofs_share
