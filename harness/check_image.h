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
	std::vector<std::string> devices; ///< with data of it
	/// Attribute with the fingerprints; nothing if there are none.
	std::optional<std::string> attribute;
	/// Whether user space cannot see, and so not copy, that attribute.
	bool hidden = false;
	std::size_t files = 0;		    ///< that should have one
	std::vector<std::string> missing;   ///< paths without
	std::vector<std::string> ambiguous; ///< paths with more than one
	std::vector<std::string> unusable;  ///< paths with one that cannot be
	std::vector<std::string> wrong;	    ///< paths whose contents differ
	/// Why contents could not be compared; only where files are unusable,
	/// which fsck.erofs takes for damage of the image.
	std::string not_compared;

	[[nodiscard]] bool right() const
	{
		return attribute && missing.empty() && ambiguous.empty() &&
		       unusable.empty() && wrong.empty();
	}
	/// Whether fingerprints are declared, and no file has any.
	[[nodiscard]] bool only_declared() const
	{
		return attribute && files > 0 && missing.size() == files;
	}
};

/// Hashes all files of @image, data on @devices, and compares; but nothing
/// where no file has a fingerprint. Throws std::system_error that names what
/// cannot be read.
ImageCheck check_image(const std::string &image,
		       const std::vector<std::string> &devices);

/// Says what was found and what to run if it is not right.
void print_check(const ImageCheck &check, std::ostream &out);

} // namespace erofs_share
