// SPDX-License-Identifier: GPL-2.0-only
// The test images as the guest finds them: each as a virtio disk whose serial
// is the image's name, and as a file on the disk called "images".
#pragma once

#include "content/content.h"
#include "machine/mount.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace erofs_share {

/// Path of the block device whose serial is @serial; nothing if there is none.
std::optional<std::string> find_disk(const std::string &serial);

/// The same; throws ENODEV, naming the serial, if there is none.
std::string disk_called(const std::string &serial);

/// One test image.
struct Image {
	std::string name;
	const Tree *tree = nullptr; ///< what is in it; never null
	/// Whether its data is on a second device, its "blob".
	bool has_blob = false;

	/// Path of the image's own disk. Throws if the guest has none for it.
	[[nodiscard]] std::string disk() const;
	/// Path of the image as a regular file in the image store.
	[[nodiscard]] std::string file() const;
	/// The same for the blob.
	[[nodiscard]] std::string blob_disk() const;
	[[nodiscard]] std::string blob_file() const;
};

/// What the kernel is given an image as.
enum class Via {
	kDisk, ///< its virtio disk
	kLoop, ///< a loop device over its file in the image store
	kFile, ///< that file itself
};

/// Tries to mount @image, with its blob where it has one. Loop devices that
/// this makes are detached when the mount goes.
/// Returns the mount if the kernel took it, and how it answered.
std::pair<std::optional<Mount>, MountOutcome>
try_mount_image(const Image &image, Via via, const MountOptions &options = {});

/// The same, for callers that need the mount: throws with the kernel's words.
Mount mount_image(const Image &image, Via via,
		  const MountOptions &options = {});

/// Whether the running kernel's erofs fails with EIO in the last page of
/// @image's file, which the file fills in part only: it does, but reads all of
/// a copy that is longer by the rest of that page. Images with blocks of less
/// than a page have such files; 7.3, which reads image files by whole pages,
/// takes the short read for an error (erofs_fileio_ki_complete()). Of no other
/// image, and for no other reason, is an error forgiven.
/// Mounts it without sharing and reads all; throws as mount_image() and
/// difference() do, for any other error than EIO.
bool fails_in_last_page(const Image &image);

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
