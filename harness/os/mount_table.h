// SPDX-License-Identifier: GPL-2.0-only
// /proc/PID/mountinfo, with names of any bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace erofs_share {

/// A line of the table.
struct MountLine {
	std::uint64_t id = 0;
	std::string device; ///< "MAJOR:MINOR"
	std::string root;   ///< what of the file system is mounted
	std::string target;
	std::string type;
	std::string source;
	std::string options; ///< of the superblock

	/// Whether the superblock has the option @name, without a value or
	/// with any.
	[[nodiscard]] bool has_option(std::string_view name) const;
};

/// The lines of @mountinfo in their order, with all names as they are. Lines of
/// another form are left out. Throws std::system_error if it cannot be read.
std::vector<MountLine> read_mount_table(const std::string &mountinfo);

} // namespace erofs_share
