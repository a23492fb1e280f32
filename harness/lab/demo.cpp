// SPDX-License-Identifier: GPL-2.0-only
// The demonstration's part in the guest.
#include "lab/demo.h"

#include "content/tree_reading.h"

namespace erofs_share {

Record run_demo(const std::string &first, const std::string &second)
{
	const TreeReading plain = read_two_trees(first, second, {});
	const TreeReading shared = read_two_trees(
		first, second, MountOptions::sharing(DomainId::random()));

	return {{"event", "demo"},
		{"files", shared.files},
		{"bytes", shared.bytes},
		{"cached_plain", plain.cached},
		{"cached_shared", shared.cached},
		{"mounts", shared.mount_lines}};
}

} // namespace erofs_share
