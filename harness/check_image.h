// SPDX-License-Identifier: GPL-2.0-only
// Whether an image carries fingerprints, and whether they are right.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// What is found about one image.
struct ImageCheck {
	std::string image;
	/// Attribute with the fingerprints; nothing if there are none.
	std::optional<std::string> attribute;
	std::size_t files = 0;		  ///< that should have one
	std::vector<std::string> missing; ///< paths without
	std::vector<std::string> wrong;	  ///< paths whose contents differ

	[[nodiscard]] bool right() const
	{
		return attribute && missing.empty() && wrong.empty();
	}
};

/// Hashes all files of @image, data on @devices, and compares. Throws
/// std::system_error that names what cannot be read.
ImageCheck check_image(const std::string &image,
		       const std::vector<std::string> &devices);

/// Says what was found and what to run if it is not right.
void print_check(const ImageCheck &check, std::ostream &out);

} // namespace erofs_share
