// SPDX-License-Identifier: GPL-2.0-only
// Going to the mount namespace that a target is in, where everything may be
// somebody else's, /proc included.
#pragma once

#include "base/fd.h"

#include <string>

namespace erofs_share {

/// A mount namespace that a target is in.
class TargetNamespace {
      public:
	/// Opens the namespace @path; "" is ours. Throws.
	explicit TargetNamespace(const std::string &path);
	/// Goes there, for good. Throws MountFailure.
	void enter() const;

      private:
	std::string path_;
	UniqueFd space_;
};

/// This process in /proc, held open: of the /proc that was there at the start,
/// whatever is mounted where the target is.
class OwnProcess {
      public:
	OwnProcess();
	/// The mounts of the namespace that the process is in now, as
	/// /proc/self/mountinfo; "" if nobody knows.
	[[nodiscard]] std::string mounts() const;

      private:
	UniqueFd directory_;
};

} // namespace erofs_share
