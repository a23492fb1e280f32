// SPDX-License-Identifier: GPL-2.0-only
// Directories as what an image would be made of. Whoever they belong to may
// change them while they are read.
#pragma once

#include "tool/estimate.h"

#include <string>
#include <vector>

namespace erofs_share {

/// The regular files below the directory @root that are not empty, with what
/// their fingerprints would be; one with several names once. What is mounted
/// there is left out. No symbolic link is followed, nothing outside @root is
/// read, and nothing but directories and regular files is opened, whatever
/// takes whose place meanwhile. What goes away is left out, what grows is read
/// as far as it was, and what shrinks is as long as it is. Throws
/// std::system_error that names the file.
std::vector<SourceFile> files_of_directory(const std::string &root);

} // namespace erofs_share
