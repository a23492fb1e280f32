// SPDX-License-Identifier: GPL-2.0-only
// How the mount helper fails: a line for the user, and mount(8)'s exit status.
#pragma once

#include <stdexcept>
#include <string>

namespace erofs_share {

/// What kind of failure it is; the values are mount(8)'s exit statuses.
enum class MountStatus {
	kUsage = 1,	  ///< wrong options, or not permitted
	kSystem = 2,	  ///< out of memory, no loop device
	kInterrupted = 8, ///< a signal came
	kFailed = 32,	  ///< the mount itself
};

/// A failure of the mount helper. The message never holds a domain id.
class MountFailure : public std::runtime_error {
      public:
	MountFailure(MountStatus status, const std::string &text)
	    : std::runtime_error(text), status_(status)
	{
	}
	[[nodiscard]] MountStatus status() const
	{
		return status_;
	}

      private:
	MountStatus status_;
};

} // namespace erofs_share
