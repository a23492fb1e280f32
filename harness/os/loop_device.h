// SPDX-License-Identifier: GPL-2.0-only
// Loop devices: an image file as a block device.
#pragma once

#include "base/fd.h"

#include <string>

namespace erofs_share {

/// How a loop device reads its file.
enum class LoopIo {
	kDirect,   ///< past the page cache, where the file system can do it
	kBuffered, ///< through the page cache
};

/// What a loop device is to be like.
struct LoopOptions {
	LoopIo io = LoopIo::kDirect;
	bool writable = false;
	/// Bytes of its logical blocks; the kernel decides where it is 0.
	unsigned int block_size = 512;
};

/// A loop device over @file, detached when it goes out of scope, or with the
/// last mount of it if that is later.
class LoopDevice {
      public:
	/// Attaches the next free loop device read-only to @file; with direct
	/// I/O by default, so that the file's blocks are not cached a second
	/// time. Throws.
	explicit LoopDevice(const std::string &file,
			    LoopIo io = LoopIo::kDirect);
	/// The same with @options. Throws.
	LoopDevice(const std::string &file, const LoopOptions &options);
	LoopDevice(const LoopDevice &) = delete;
	LoopDevice &operator=(const LoopDevice &) = delete;
	LoopDevice(LoopDevice &&) = default;
	LoopDevice &operator=(LoopDevice &&) = default;
	~LoopDevice();

	/// Path of the block device.
	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

      private:
	std::string path_;
	UniqueFd device_;
};

} // namespace erofs_share
