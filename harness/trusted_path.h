// SPDX-License-Identifier: GPL-2.0-only
// Opening a file by a path that nobody but root, or the caller, can make lead
// elsewhere: for files whose name decides what a privileged program does.
#pragma once

#include "fd.h"

#include <stdexcept>
#include <string>

namespace erofs_share {

/// Why a path is not trusted, or cannot be walked. The message says what is
/// wrong with which part of it, without the path itself in front.
class UntrustedPath : public std::runtime_error {
      public:
	using std::runtime_error::runtime_error;
};

/// Opens the file at @path for reading; a FIFO is not waited for. Every
/// directory on the way, of @path and of the targets of symbolic links in it,
/// belongs to root or the caller, and neither its group nor others may write
/// it, sticky or not; symbolic links belong to root or the caller. So nobody
/// else has made the name, be it a symbolic or a hard link, or can exchange
/// what it names. The last component is looked at by the caller, who has it
/// open. Throws UntrustedPath.
UniqueFd open_trusted(const std::string &path);

} // namespace erofs_share
