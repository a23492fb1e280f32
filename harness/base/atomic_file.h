// SPDX-License-Identifier: GPL-2.0-only
// Writing a file so that whoever reads it has the old or the new one.
#pragma once

#include <string>

namespace erofs_share {

/// Puts @text in place of the file @path, by a file beside it that gets its
/// name. Throws std::system_error that names the path; then @path is as it was.
void write_atomically(const std::string &path, const std::string &text);

} // namespace erofs_share
