// SPDX-License-Identifier: GPL-2.0-only
// Where a new file is to be: a directory that is held open, and a name in it.
// The directory may be another user's, who can exchange what is in it and what
// leads to it while we work there.
#pragma once

#include "base/fd.h"

#include <string>
#include <string_view>

namespace erofs_share {

/// A directory, open with O_PATH, and a name in it.
struct FilePlace {
	UniqueFd directory;
	std::string name;
};

/// The place that @path names. Symbolic links on the way are root's or the
/// caller's, as open_directory_itself() has it; the name itself is not looked
/// up. Throws std::system_error that names @path.
FilePlace place_of(const std::string &path);

/// @start, and letters that nobody can guess.
std::string unused_name(std::string_view start);

} // namespace erofs_share
