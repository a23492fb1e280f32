// SPDX-License-Identifier: GPL-2.0-only
// A look at the fingerprints of an image that was mounted, for the mount
// helper. The image is anybody's and the helper is root: a process without
// privileges reads it, and whatever becomes of that process, the mount stays.
#pragma once

#include "fd.h"

#include <array>
#include <cstdint>
#include <optional>

namespace erofs_share {

/// What was seen. It comes from that process as it is, so it may be a lie.
struct ImageLook {
	std::uint64_t files = 0; ///< that are not empty
	std::uint64_t named = 0; ///< of these with any fingerprint attribute
	std::uint64_t ambiguous = 0; ///< of these with more than one
	/// Path of the first of them, cut off at the end; NUL-terminated.
	std::array<char, 256> first_ambiguous = {};
	std::uint64_t declared = 0; ///< 0: the image declares no fingerprints
	std::uint64_t complete = 0; ///< 0: this was not the whole image
};

/// Looks at no more than 100 000 inodes of the image in @image, and for no more
/// than three seconds. Returns nothing where that was not enough for an answer,
/// or anything went wrong. The caller must hold no secret: its memory is
/// copied.
std::optional<ImageLook> look_at_image(UniqueFd image);

} // namespace erofs_share
