// SPDX-License-Identifier: GPL-2.0-only
// What an image is mounted from: the image and the devices that its options
// name, each a regular file or a block device, by loop devices where the kernel
// takes no files.
#pragma once

#include "helper/mount_request.h"
#include "os/loop_device.h"

#include <string>
#include <vector>

namespace erofs_share {

/// The image and the devices of a mount.
class MountSources {
      public:
	/// Looks at the paths of @request. Throws MountFailure that names one
	/// that is neither a regular file nor a block device.
	explicit MountSources(const MountRequest &request);

	/// Whether one of them is a regular file.
	[[nodiscard]] bool have_files() const
	{
		return files_ > 0;
	}
	/// Whether there are files as well as block devices, which no kernel
	/// takes together.
	[[nodiscard]] bool are_mixed() const
	{
		return files_ > 0 && files_ < total_;
	}
	/// Gives each file a loop device, and says so in @lines. Throws
	/// MountFailure.
	void use_loops(std::vector<std::string> &lines);

	/// For fsconfig(2): the image, and the options with the devices.
	[[nodiscard]] const std::string &image() const
	{
		return image_;
	}
	[[nodiscard]] const std::vector<std::string> &options() const
	{
		return options_;
	}

      private:
	void count(const MountRequest &request, const std::string &path);

	std::string image_;
	std::vector<std::string> options_;
	std::size_t files_ = 0;
	std::size_t total_ = 0;
	std::vector<LoopDevice> loops_;
};

/// The path in @option, if that is device=PATH; else "".
std::string device_of(const std::string &option);

/// Opens the regular file or block device @path for reading; none where it is
/// something else, which is not even opened.
UniqueFd open_source(const std::string &path);

} // namespace erofs_share
