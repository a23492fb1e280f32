// SPDX-License-Identifier: GPL-2.0-only
// Removing what a program left in a directory, however deep it is.
#pragma once

namespace erofs_share {

/// Removes all that is in @directory, which stays. No link is followed, no path
/// is looked up, and no more than two descriptors are open: what is deep comes
/// up first. Gives up at the first thing that cannot be removed. Returns
/// whether all is gone.
bool remove_contents(int directory);

/// Whether nothing is in @directory; true also where it cannot be read.
bool is_empty_directory(int directory);

} // namespace erofs_share
