// SPDX-License-Identifier: GPL-2.0-only
// What mounts share right now: the counters below /sys/fs/erofs/DEV/share/,
// which Documentation/ABI-sysfs-fs-erofs-share describes, put together with the
// mount table.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace erofs_share {

/// A superblock with inode_share.
struct MountStatus {
	std::string device; ///< its name in sysfs
	std::string source; ///< as the mount table has it; may be empty
	/// Where it is mounted; empty if the caller's namespace does not see
	/// it.
	std::vector<std::string> targets;
	std::uint64_t domain = 0;
	std::uint64_t files = 0;
	std::uint64_t resident_bytes = 0;
	std::uint64_t foreign_bytes = 0;
};

/// A domain with a mount.
struct DomainStatus {
	std::uint64_t number = 0;
	std::uint64_t mounts = 0;
	std::uint64_t inodes = 0;
	std::uint64_t resident_bytes = 0;
	std::uint64_t saved_bytes = 0;
};

/// All of it, mounts by domain and device, domains by number.
struct Status {
	std::vector<MountStatus> mounts;
	std::vector<DomainStatus> domains;
};

/// Reads the counters below @sysfs. A mount that goes meanwhile is left out; a
/// machine that never had the module has none. Throws std::system_error that
/// names the file, EPERM and EACCES with what the reader needs.
Status read_status(const std::string &sysfs = "/sys/fs/erofs",
		   const std::string &mountinfo = "/proc/self/mountinfo");

/// Two tables, as df(1) has them, and the sum of what is saved.
void print_status(const Status &status, std::ostream &out);

/// The same in bytes; erofs-share(8) documents the members.
nlohmann::json to_json(const Status &status);

} // namespace erofs_share
