// SPDX-License-Identifier: GPL-2.0-only
// Makes of an image without fingerprints, or with stale or ambiguous ones, one
// of the same tree that has right ones.
#pragma once

#include "tool/image_contents.h"

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// What is wanted.
struct FingerprintRequest {
	std::string image;		  ///< the old one
	std::vector<std::string> devices; ///< with data of it, in order
	std::string result;		  ///< the new one's name
	std::vector<std::string> options; ///< for mkfs.erofs
	ContentsOptions contents = {};	  ///< how both are read
};

/// What was made.
struct FingerprintResult {
	std::uint64_t names = 0; ///< in its directories, and the root
	std::uint64_t files = 0; ///< with contents, and so a fingerprint
	std::uint64_t bytes = 0; ///< of their contents
	std::uint64_t stale = 0; ///< old fingerprints that were left out
	std::uint64_t size = 0;	 ///< of the new image
	/// Whether the old image is compressed and the new one is not.
	bool unpacked = false;
};

/// Makes it, compares it with the old one, and lets it have its name only then:
/// whatever happens before, nothing of it is left. Says on standard error how
/// far it is. Throws std::system_error that names the image, and the file in it
/// where something of the old tree cannot be kept.
FingerprintResult fingerprint_image(const FingerprintRequest &request);

} // namespace erofs_share
