// SPDX-License-Identifier: GPL-2.0-only
// A pipe whose ends are closed with it.
#pragma once

#include "base/fd.h"

namespace erofs_share {

/// A pipe's two ends; no program that this process becomes or starts gets them.
struct Pipe {
	UniqueFd output; ///< to read from
	UniqueFd input;	 ///< to write to

	/// Throws std::system_error.
	Pipe();
};

} // namespace erofs_share
