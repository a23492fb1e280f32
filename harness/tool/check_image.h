// SPDX-License-Identifier: GPL-2.0-only
// Whether an image carries fingerprints, and whether they are right.
#pragma once

#include "tool/image_contents.h"

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// A file that could not be compared.
struct UnreadFile {
	std::string path;
	std::string reason;
};

/// What is found about one image.
struct ImageCheck {
	std::string image;
	std::vector<std::string> devices; ///< with data of it, as given
	std::size_t extra_devices = 0;	  ///< how many it names
	/// Attribute with the fingerprints; nothing if there are none.
	std::optional<std::string> attribute;
	/// Whether user space cannot see, and so not copy, that attribute.
	bool hidden = false;
	/// Whether it has fragments, which not every program reads right.
	bool fragments = false;
	std::size_t files = 0;		    ///< that should have one
	std::vector<std::string> missing;   ///< paths without
	std::vector<std::string> ambiguous; ///< paths with more than one
	std::vector<std::string> unusable;  ///< paths with one that cannot be
	std::vector<std::string> wrong;	    ///< paths whose contents differ
	/// Those with one whose contents could not be read.
	std::vector<UnreadFile> not_compared;

	/// How many files were compared with their fingerprint.
	[[nodiscard]] std::size_t compared() const
	{
		return files - missing.size() - ambiguous.size() -
		       unusable.size() - not_compared.size();
	}
	[[nodiscard]] bool right() const
	{
		return attribute && files > 0 && compared() == files &&
		       wrong.empty();
	}
	/// Whether what could not be compared may be all that is wrong.
	[[nodiscard]] bool incomplete() const
	{
		return wrong.empty() && !not_compared.empty();
	}
	/// Whether fingerprints are declared, and no file has any.
	[[nodiscard]] bool only_declared() const
	{
		return attribute && files > 0 && missing.size() == files;
	}
};

/// Hashes all files of @image, data on @devices, and compares; but nothing
/// where no file has a usable fingerprint. Throws std::system_error that names
/// what cannot be read.
ImageCheck check_image(const std::string &image,
		       const std::vector<std::string> &devices,
		       const ContentsOptions &options = {});

/// Says what was found and what to run if it is not right.
void print_check(const ImageCheck &check, std::ostream &out);

} // namespace erofs_share
