// SPDX-License-Identifier: GPL-2.0-only
// The programs of erofs-utils, which read what we leave to them: compressed
// data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace erofs_share {

/// Path of the program @name in $PATH or where administrators' programs are.
std::optional<std::string> find_program(const std::string &name);

/// The data of inode @nid of @image, by dump.erofs. Throws std::system_error
/// that names the image, and says what to install.
std::string inode_data(const std::string &image, std::uint64_t nid);

/// The last line of what a program printed.
std::string last_line(std::string text);

} // namespace erofs_share
