// SPDX-License-Identifier: GPL-2.0-only
// Whether one mount, or one file, shares page cache, with how many, and if not,
// why.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// The answer; the reasons for a "no" in the order in which they are looked
/// for.
enum class Sharing : std::uint8_t {
	kShares,
	kNotErofs,	 ///< it is on another file system
	kNotRegular,	 ///< it is a device, a FIFO, ...
	kDax,		 ///< it is read without the page cache
	kNoOption,	 ///< the mount is without inode_share
	kNoFingerprints, ///< the image declares none
	kEmpty,		 ///< the file has no bytes
	kMissing,	 ///< the file has no fingerprint
	kAmbiguous,	 ///< it has more than one
	kUnusable,	 ///< it has one that cannot be used
	kOtherDomain,	 ///< only mounts of other domains have its contents
	kAlone,		 ///< no other mount has its contents, or is there
	kNeverOpened,	 ///< nobody opened it, or anything of the mount
	kUnknown,	 ///< that cannot be told
};

/// What is known of a path.
struct PathStatus {
	std::string path;
	bool is_file = false;
	Sharing sharing = Sharing::kUnknown;
	/// What is to be said beyond that, such as why it is unknown.
	std::string detail;
	std::string source; ///< of its mount
	std::string target;
	std::optional<std::uint64_t> domain;
	/// Other mounts of the domain; of a file, those that have its contents.
	std::vector<std::string> with;
	/// The same of other domains.
	std::uint64_t elsewhere = 0;
	/// Mounts of the domain whose images could not be looked at.
	std::uint64_t unread = 0;
};

/// Looks at @path; a regular file that could share is opened for that, and so
/// counts as opened from then on. /proc and /sys are those below @root. Throws
/// std::system_error that names a path which cannot be looked at.
PathStatus read_path_status(const std::string &path,
			    const std::string &root = "");

/// One sentence or more.
void print_path_status(const PathStatus &status, std::ostream &out);

/// The same; erofs-share(8) documents the members.
nlohmann::json to_json(const PathStatus &status);

} // namespace erofs_share
