// SPDX-License-Identifier: GPL-2.0-only
// Mounts that fail, or are odd, with a domain id in them: the list that
// secrecy_walk.cpp walks. A new one is a row in rejected_mounts.cpp.
#pragma once

#include "machine/mount_calls.h"

#include <string>
#include <vector>

namespace erofs_share {

/// What the trials mount.
struct TrialDisks {
	std::string good; ///< an image that can be mounted
	std::string without_fingerprints;
	std::string not_erofs;
	std::string mounted;	 ///< an image mounted in another domain
	std::string mount_point; ///< where
	std::string target;	 ///< an empty directory
};

/// One mount.
struct Trial {
	std::string name;
	MountRequest request;
	/// Whether it succeeds on our module.
	bool works = false;
	/// The only way that can do this; "": all.
	std::string only = {};
	/// The way in which the kernel's generic code frees a copy of the id
	/// before it asks any file system; "any": in all; "": in none.
	std::string beyond = {};
	/// To be asked for by somebody who may not mount.
	bool in_another_user = false;

	[[nodiscard]] bool applies_to(const std::string &way) const
	{
		return only.empty() || only == way;
	}
	[[nodiscard]] bool out_of_reach(const std::string &way) const
	{
		return beyond == "any" || beyond == way;
	}
};

/// A mount of @source on @target with inode_share and the id.
MountRequest sharing_request(const std::string &source,
			     const std::string &target);

/// All of them.
std::vector<Trial> all_trials(const TrialDisks &disks);

} // namespace erofs_share
