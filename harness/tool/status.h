// SPDX-License-Identifier: GPL-2.0-only
// What mounts share right now: the counters below /sys/fs/erofs/DEV/share/,
// which Documentation/ABI-sysfs-fs-erofs-share describes, put together with the
// mount table.
#pragma once

#include "os/erofs_module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// A superblock with inode_share.
struct MountStatus {
	std::string device; ///< its name in sysfs
	std::string number; ///< MAJOR:MINOR, as in the mount table
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

/// All of it: the domains that save most first, and in each the mounts that
/// take most from others first.
struct Status {
	std::vector<MountStatus> mounts;
	std::vector<DomainStatus> domains;
	ErofsModule module;
	/// Erofs superblocks without the option, that the caller's namespace
	/// sees.
	std::uint64_t unshared = 0;
	/// Those that show the option and have no counters: another erofs than
	/// ours can share as well.
	std::uint64_t uncounted = 0;

	/// What all domains save.
	[[nodiscard]] std::uint64_t saved_bytes() const;
};

/// Reads the counters in the /sys below @root, and the mount table and what
/// erofs it is in its /proc. A mount that goes meanwhile is left out; a machine
/// that never had the module has none. Throws std::system_error that names the
/// file, EPERM and EACCES with what the reader needs.
Status read_status(const std::string &root = "");

/// How many files of the mount @device, its name in sysfs, are attached.
/// Throws as read_status(), also if the mount is gone.
std::uint64_t attached_files(const std::string &device,
			     const std::string &root = "");

} // namespace erofs_share
