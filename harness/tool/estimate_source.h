// SPDX-License-Identifier: GPL-2.0-only
// Everything that estimate takes: images, directories, tar archives, and images
// in an OCI layout.
#pragma once

#include "tool/estimate.h"

#include <string>

namespace erofs_share {

/// Reads @name: an erofs image, the root of a tree, a tar archive, or
/// DIRECTORY:TAG of an OCI layout, hashing what declares no fingerprints.
/// Throws std::system_error that names it, and says what was expected.
Source read_any_source(const std::string &name,
		       const ContentsOptions &options = {});

} // namespace erofs_share
