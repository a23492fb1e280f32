// SPDX-License-Identifier: GPL-2.0-only
// mkfs.erofs, which makes an image of an archive that is written to it.
#pragma once

#include "base/child.h"
#include "base/confinement.h"
#include "base/fd.h"
#include "base/pending_file.h"

#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// Path of a mkfs.erofs that writes hidden fingerprints: of version 1.9.2 or
/// newer. Throws std::system_error that says what to install.
std::string find_mkfs();

/// A running mkfs.erofs. It has no rights of root's, and ends when this goes
/// out of scope or the program ends.
class MkfsErofs {
      public:
	/// Starts @program with @options, to make @image, which must outlive
	/// this, and is lent where root calls this. It may take as much as
	/// @limits say. Throws.
	MkfsErofs(const std::string &program,
		  const std::vector<std::string> &options, PendingFile &image,
		  const ProcessLimits &limits);

	/// Where the archive goes; SIGPIPE must be ignored.
	[[nodiscard]] int input() const
	{
		return input_.get();
	}
	/// Ends the archive, and waits for the image. Throws, with what the
	/// program said, if it failed.
	void finish();

      private:
	PendingFile &image_;
	UniqueFd said_;
	UniqueFd input_;
	std::optional<Child> child_;
};

} // namespace erofs_share
