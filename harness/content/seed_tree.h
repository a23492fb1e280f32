// SPDX-License-Identifier: GPL-2.0-only
// The tree of the images that hostile ones are made of: as small as can be,
// because each mutant is read whole in an emulated guest, with links, names and
// extended attributes of every kind that an image stores.
#pragma once

#include "content/content.h"

#include <string>

namespace erofs_share {

/// Its regular files that have a content of their own.
const Tree &seed_tree();

/// Makes all of it in @directory, which must exist. What it is does not depend
/// on who calls. Throws, also when the file system there keeps no attributes.
void make_seed_tree(const std::string &directory);

} // namespace erofs_share
