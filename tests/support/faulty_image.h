// SPDX-License-Identifier: GPL-2.0-only
// Test images on devices that can be made to fail or to stall.
#pragma once

#include "machine/dm_device.h"
#include "machine/mount.h"

#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// How an image is mounted from its faulty device.
enum class Backing {
	kDisk, ///< the device holds the image
	kFile, ///< the device holds a file system with the image as a file
};

/// One of the images with the tree "mix", and how it is mounted.
struct FaultyCase {
	std::string image;
	Backing backing = Backing::kDisk;
};

/// Every kind of storage that reads take a path of their own for.
std::vector<FaultyCase> faulty_cases();
/// For test names.
std::string case_name(const FaultyCase &which);

/// An image on a device mapper device of its own.
class FaultyImage {
      public:
	/// Sets up the device, and the file system on it where the case asks
	/// for one. Throws.
	explicit FaultyImage(const FaultyCase &which);

	/// The device under it all.
	[[nodiscard]] DmDevice &device()
	{
		return device_;
	}
	/// Tries to mount it with @options; see try_mount_erofs(). Files are
	/// read with direct I/O, so that the file system below keeps no copy.
	[[nodiscard]] std::pair<std::optional<Mount>, MountOutcome>
	try_mount(const MountOptions &options) const;
	/// The same, for callers that need the mount. Throws.
	[[nodiscard]] Mount mount(const MountOptions &options) const;
	/// Why the running kernel cannot mount it; "" when it can.
	[[nodiscard]] std::string unsupported() const;

      private:
	std::string image_;
	DmDevice device_;
	std::optional<Mount> store_;
};

} // namespace erofs_share
