// SPDX-License-Identifier: GPL-2.0-only
// A directory for what is extracted of an image.
#pragma once

#include <string>

namespace erofs_share {

/// A new directory in $TMPDIR or /var/tmp, removed with all that is in it.
class ExtractionDirectory {
      public:
	/// Makes it. Throws std::system_error that says what to set.
	ExtractionDirectory();
	ExtractionDirectory(const ExtractionDirectory &) = delete;
	ExtractionDirectory &operator=(const ExtractionDirectory &) = delete;
	~ExtractionDirectory();

	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

      private:
	std::string path_;
};

} // namespace erofs_share
