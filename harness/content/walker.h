// SPDX-License-Identifier: GPL-2.0-only
// Asks a mounted image for all that it has, through every call that leads into
// erofs, whatever comes back: for images that cannot be trusted. Each step has
// a bound, so that an image that says it is endless ends.
#pragma once

#include <cstdint>
#include <string>

namespace erofs_share {

/// What a walk came across.
struct WalkCount {
	std::uint64_t entries = 0; ///< names in directories
	std::uint64_t files = 0;   ///< regular files read, at least a part
	std::uint64_t bytes = 0;   ///< read or mapped
	std::uint64_t errors = 0;  ///< calls that failed
	/// A length that read(2) returned does not fit the one in stat(2):
	/// where, or "".
	std::string wrong;

	WalkCount &operator+=(const WalkCount &other);
};

/// Walks all below @root. Does not throw for what the image does.
WalkCount walk_hostile(const std::string &root);

} // namespace erofs_share
