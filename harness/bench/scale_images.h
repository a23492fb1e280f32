// SPDX-License-Identifier: GPL-2.0-only
// The trees of the images for measurements of scale: many small files, some of
// which all images have.
#pragma once

#include <cstdint>
#include <string>

namespace erofs_share {

/// One of these trees.
struct ScaleTree {
	std::uint64_t files = 0;
	/// So many of them, the first ones, are the same in every image.
	std::uint64_t common = 0;
	/// The others are this image's own.
	std::uint64_t image = 0;
	std::uint64_t size = 0; ///< of each file, in bytes
};

/// Path of file @number in each of these trees, a thousand to a directory.
std::string scale_path(std::uint64_t number);

/// Writes @tree as a tar archive to the new file @path. Throws.
void write_scale_archive(const ScaleTree &tree, const std::string &path);

} // namespace erofs_share
