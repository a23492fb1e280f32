// SPDX-License-Identifier: GPL-2.0-only
// Overlay mounts, and the directories that such things need.
#pragma once

#include "machine/mount.h"

#include <string>
#include <vector>

namespace erofs_share {

/// A new directory with a name of its own; removed with all that is in it when
/// it goes out of scope.
class TemporaryDirectory {
      public:
	/// Makes it below @parent, which must exist. Throws.
	explicit TemporaryDirectory(const std::string &parent = "/tmp");
	TemporaryDirectory(const TemporaryDirectory &) = delete;
	TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
	TemporaryDirectory(TemporaryDirectory &&) = delete;
	TemporaryDirectory &operator=(TemporaryDirectory &&) = delete;
	~TemporaryDirectory();

	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

      private:
	std::string path_;
};

/// Mounts an overlay of @lowers, topmost first, on a new directory below /mnt:
/// read-only, or writable when @scratch is given, an empty directory of a file
/// system that can hold the upper layer. Throws.
Mount mount_overlay(const std::vector<std::string> &lowers,
		    const TemporaryDirectory *scratch = nullptr);

} // namespace erofs_share
