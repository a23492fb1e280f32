// SPDX-License-Identifier: GPL-2.0-only
// A look at the fingerprints of an image that is mounted, for the mount helper
// and for status. The image is anybody's and they are root: a process without
// privileges reads it, and whatever becomes of that process, the caller goes
// on.
#pragma once

#include "base/fd.h"

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

/// What an image says of one file.
struct FileLook {
	std::uint64_t found = 0;
	std::uint64_t size = 0;
	std::uint64_t state = 0; ///< a FingerprintState
	std::uint64_t fingerprint_size = 0;
	std::array<char, 256> fingerprint = {};
	std::uint64_t declared = 0; ///< 0: the image declares no fingerprints
	std::uint64_t complete = 0; ///< 0: this was not the whole image
};

/// Looks at no more than 100 000 inodes of the image in @image, and for no more
/// than three seconds. Returns nothing where that was not enough for an answer,
/// or anything went wrong. The caller must hold no secret: its memory is
/// copied.
std::optional<ImageLook> look_at_image(UniqueFd image);

/// Looks for the inode number @nid in no more than four million inodes of
/// @image, and for no more than twenty seconds. Returns nothing where anything
/// went wrong. As look_at_image() else.
std::optional<FileLook> look_for_inode(UniqueFd image, std::uint64_t nid);

/// The same for a file of the size and with the fingerprint of @wanted.
std::optional<FileLook> look_for_contents(UniqueFd image,
					  const FileLook &wanted);

} // namespace erofs_share
