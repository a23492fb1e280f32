// SPDX-License-Identifier: GPL-2.0-only
// Walking a path that somebody else may have a part of: for files whose name
// decides what a privileged program does, and for directories in which it makes
// something.
#pragma once

#include "base/fd.h"

#include <stdexcept>
#include <string>

namespace erofs_share {

/// Why a path is not trusted, or cannot be walked. The message says what is
/// wrong with which part of it, without the path itself in front.
class UntrustedPath : public std::runtime_error {
      public:
	explicit UntrustedPath(const std::string &what, int error = 0)
	    : std::runtime_error(what), error_(error)
	{
	}
	/// Why it cannot be walked; 0 where it can, and is not trusted.
	[[nodiscard]] int error() const
	{
		return error_;
	}

      private:
	int error_;
};

/// Opens the file at @path for reading; a FIFO is not waited for. Every
/// directory on the way, of @path and of the targets of symbolic links in it,
/// belongs to root or the caller, and neither its group nor others may write
/// it, sticky or not; symbolic links belong to root or the caller. So nobody
/// else has made the name, be it a symbolic or a hard link, or can exchange
/// what it names. The last component is looked at by the caller, who has it
/// open. Throws UntrustedPath.
UniqueFd open_trusted(const std::string &path);

/// Opens the directory @path, with O_PATH. It, and those on the way, may be
/// anybody's; symbolic links belong to root or the caller, or are refused: so
/// nobody else makes it be a directory that he has no part in. What is done by
/// the descriptor is done there, whatever the path leads to later. Throws
/// UntrustedPath.
UniqueFd open_directory_itself(const std::string &path);

} // namespace erofs_share
