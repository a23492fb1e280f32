// SPDX-License-Identifier: GPL-2.0-only
// dm-verity devices, with the hash trees that the kernel checks them by.
#pragma once

#include "machine/dm_device.h"
#include "os/loop_device.h"

#include <optional>
#include <string>

namespace erofs_share {

/// A dm-verity device in front of a block device, removed when it goes out of
/// scope. Its uuid is of the form that veritysetup(8) gives.
class VerityDevice {
      public:
	/// Hashes the block device at @lower, whose size is a multiple of 4096,
	/// to a tree below /tmp, and puts the new device in front of it.
	/// Throws, for example when the kernel has no such target.
	explicit VerityDevice(const std::string &lower);
	VerityDevice(const VerityDevice &) = delete;
	VerityDevice &operator=(const VerityDevice &) = delete;
	VerityDevice(VerityDevice &&) = delete;
	VerityDevice &operator=(VerityDevice &&) = delete;
	~VerityDevice();

	/// Path of the block device.
	[[nodiscard]] const std::string &path() const
	{
		return device_->path();
	}

      private:
	std::string tree_ = "/tmp/verity-XXXXXX";
	std::optional<LoopDevice> hashes_;
	std::optional<DmDevice> device_;
};

} // namespace erofs_share
