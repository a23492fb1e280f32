// SPDX-License-Identifier: GPL-2.0-only
// Inodes that must go.
#include "support/evict_inodes.h"

#include "base/error.h"
#include "machine/page_cache.h"

namespace erofs_share {

void evict_inodes(const Mount &mount)
{
	drop_caches(Drop::kPages);
	// The kernel forgets all unused dentries of what is remounted.
	if (const MountOutcome outcome = mount.remount({}); outcome.error != 0)
		throw_error(outcome.error,
			    "remount " + mount.path() + ": " + outcome.text());
	drop_caches(Drop::kAll);
	drop_caches(Drop::kSlab);
}

} // namespace erofs_share
