// SPDX-License-Identifier: GPL-2.0-only
// The pieces of a tar archive, for trees that mkfs.erofs takes in this form.
#pragma once

#include <cstdint>
#include <string>

namespace erofs_share {

/// The header of a member @name (99 characters at most) of @size bytes and of
/// type @type ('0' a file, '5' a directory, 'x' attributes of the member that
/// follows). It is the same each time: its dates are.
std::string tar_header(const std::string &name, std::uint64_t size, char type);

/// The member @name that is a character device of number @major, @minor.
std::string tar_device(const std::string &name, unsigned int major,
		       unsigned int minor);

/// Appends a member's @data to @archive.
void tar_append(std::string &archive, const std::string &data);

/// What ends an archive.
std::string tar_end();

} // namespace erofs_share
