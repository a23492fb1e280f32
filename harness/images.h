// SPDX-License-Identifier: GPL-2.0-only
// The test images as the guest finds them: each as a virtio disk whose serial
// is the image's name, and as a file on the disk called "images".
#pragma once

#include "content.h"
#include "mount.h"

#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// Path of the block device whose serial is @serial; nothing if there is none.
std::optional<std::string> find_disk(const std::string &serial);

/// One test image.
struct Image {
	std::string name;
	const Tree *tree = nullptr; ///< what is in it; never null

	/// Path of the image's own disk. Throws if the guest has none for it.
	[[nodiscard]] std::string disk() const;
	/// Path of the image as a regular file in the image store.
	[[nodiscard]] std::string file() const;
};

/// The disk with all images as files, mounted on /images while this lives.
class ImageStore {
      public:
	/// Mounts the disk called "images" read-only. Throws.
	ImageStore();

	/// All images of the store's index.
	[[nodiscard]] const std::vector<Image> &all() const
	{
		return images_;
	}
	/// The image called @name; throws std::out_of_range.
	[[nodiscard]] const Image &find(const std::string &name) const;

      private:
	Mount mount_;
	std::vector<Image> images_;
};

} // namespace erofs_share
