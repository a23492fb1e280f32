// SPDX-License-Identifier: GPL-2.0-only
// What mount(8) asks of the helper mount.erofs-share: its command line, with
// the options sorted by who they are for.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace erofs_share {

/// One call of the mount helper.
struct MountRequest {
	std::string source;
	std::string target;
	/// Path of the mount namespace that @target is in; "" for ours.
	std::string target_namespace;
	std::string domain_id_file; ///< "" when none was named
	bool fake = false;	    ///< -f: all but the mount itself
	bool sloppy = false;	    ///< -s: leave out options nobody knows
	bool verbose = false;	    ///< -v
	bool remount = false;
	bool loop = false; ///< a regular file by a loop device
	/// What the mount gets: MOUNT_ATTR_ flags, always read-only.
	unsigned int attributes = 0;
	/// Whether the options say anything about access times.
	bool names_atime = false;
	/// For fsconfig(2): "key" or "key=value".
	std::vector<std::string> fs_options;
};

/// How to call the helper, for people.
std::string mount_usage();

/// Reads the command line @arguments, which starts with the program's name. A
/// domain id in it is overwritten there. Throws MountFailure that says what was
/// expected.
MountRequest parse_mount_request(std::span<char *> arguments);

} // namespace erofs_share
