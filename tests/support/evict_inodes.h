// SPDX-License-Identifier: GPL-2.0-only
// Inodes that must go, for tests of what happens then.
#pragma once

#include "machine/mount.h"

namespace erofs_share {

/// Lets the inodes of @mount that nobody uses go, with their pages. Dropping
/// caches alone does not do it: dentries that were used lately get another
/// chance, and keep their inodes. Throws.
void evict_inodes(const Mount &mount);

} // namespace erofs_share
