// SPDX-License-Identifier: GPL-2.0-only
// Which erofs the running kernel has: the module of this project, another one,
// or none; and what to do to get the one that shares.
#pragma once

#include <cstdint>
#include <string>

namespace erofs_share {

enum class ErofsKind : std::uint8_t {
	kNone,	///< no erofs is there
	kOurs,	///< the module of this project
	kOther, ///< the kernel's own
};

/// The erofs of a kernel.
struct ErofsModule {
	ErofsKind kind = ErofsKind::kNone;
	std::string version; ///< of ours, when it is loaded
	/// Whether ours is installed for the running kernel.
	bool installed = false;
};

/// Looks in the /proc, /sys and /lib/modules below @root. What cannot be read
/// counts as not there.
ErofsModule find_erofs_module(const std::string &root = "");

/// What is wrong with @module for somebody who wants to share, and what to do:
/// a sentence without its full stop. "" if it is ours.
std::string advice_on(const ErofsModule &module);

} // namespace erofs_share
