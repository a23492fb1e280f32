// SPDX-License-Identifier: GPL-2.0-only
// An image as the kernel reads it, in a mount that is attached nowhere: nobody
// else comes to it, no program of it runs, no device of it opens, and it goes
// with the descriptors of this process, however that ends.
#pragma once

#include "base/fd.h"
#include "os/loop_device.h"

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// Such a mount.
class DetachedMount {
      public:
	/// Of the image in the open file @image with its data on @devices.
	/// Files get loop devices, so that what lies behind their end is an
	/// error, and no zeroes. Throws std::system_error with the kernel's
	/// words: EPERM where this process may not mount.
	DetachedMount(int image, const std::vector<int> &devices);

	/// Opens the regular file @path, which is inode @nid. No link of the
	/// image is followed. Throws std::system_error that names @path.
	[[nodiscard]] UniqueFd open(const std::string &path,
				    std::uint64_t nid) const;

      private:
	std::string source(int file);

	/// Detached by the kernel with the last user, which is the mount.
	std::vector<LoopDevice> loops_;
	UniqueFd tree_;
};

} // namespace erofs_share
