// SPDX-License-Identifier: GPL-2.0-only
// The ways of handing mount options to the kernel, for tests of what becomes of
// a domain id on the way. Unlike Mount, they take options that make no sense,
// and keep no plain text of an id past the call.
#pragma once

#include "machine/domain_id.h"

#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// What an option's value is.
enum class OptionValue {
	kNone,	 ///< it has none
	kText,	 ///< RequestOption::text
	kId,	 ///< the domain id
	kLongId, ///< the domain id and a padding: more than an id may be long
	kBlob,	 ///< the domain id as binary data (fsconfig(2) only)
	kPath,	 ///< the domain id as a path (fsconfig(2) only)
	kInName, ///< none, but the name is KEY=ID (fsconfig(2) only)
};

/// One option of a mount.
struct RequestOption {
	std::string key;
	OptionValue value = OptionValue::kNone;
	std::string text = {};
};

/// A mount as a caller asks for it.
struct MountRequest {
	/// A block device; none: the caller names none.
	std::optional<std::string> source = {};
	/// A directory; of a remount, the mount. "": do not even create a
	/// superblock (fsconfig(2) only).
	std::string target = {};
	std::vector<RequestOption> options = {};
	bool remount = false;
	/// Flags of mount(2) beside MS_RDONLY, for that way only.
	unsigned long flags = 0;
	/// The id stands a second time behind the options' end, in the page
	/// that mount(2) copies; for that way only.
	bool id_behind_end = false;
	/// Set the options once more when the superblock exists and is not
	/// mounted yet; for fsconfig(2) only.
	bool options_after_create = false;
	std::string type = "erofs";
};

/// One way of mounting.
struct MountWay {
	/// For tables and for MountRequest's "that way only".
	const char *name;
	/// Does what @request says with domain id @id. All options are given,
	/// also when one was refused; then nothing is mounted.
	/// Returns the first errno, 0 on success. Throws when it could not even
	/// ask.
	int (*mount)(const MountRequest &request, const DomainId &id);
	/// Whether @request can be made this way at all.
	bool (*can)(const MountRequest &request);
};

inline constexpr const char *kFsconfigWay = "fsconfig(2)";
inline constexpr const char *kMountWay = "mount(2)";
inline constexpr const char *kHelperWay = "mount.erofs-share";

/// All ways.
const std::vector<MountWay> &mount_ways();

} // namespace erofs_share
