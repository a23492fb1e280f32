// SPDX-License-Identifier: GPL-2.0-only
// A directory for what is extracted of an image, which goes in any case.
#pragma once

#include "child.h"
#include "fd.h"

#include <optional>
#include <string>

namespace erofs_share {

/// A new directory in $TMPDIR or /var/tmp. A process of its own removes it,
/// with all that is in it, when this goes out of scope or the program ends in
/// any way, also by a signal; and not before the programs that it started and
/// that may still write there have ended.
class ExtractionDirectory {
      public:
	/// Makes it. No other thread may run. Throws std::system_error that
	/// says what to set.
	ExtractionDirectory();
	ExtractionDirectory(const ExtractionDirectory &) = delete;
	ExtractionDirectory &operator=(const ExtractionDirectory &) = delete;
	/// Waits until it is removed.
	~ExtractionDirectory();

	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}
	/// Lets the caller read all files and directories in it, whatever mode
	/// an image gave them.
	void make_readable() const;

      private:
	std::string path_;
	UniqueFd alive_; ///< closed by the end of all who use the directory
	std::optional<Child> remover_;
};

} // namespace erofs_share
