// SPDX-License-Identifier: GPL-2.0-only
// The kernel module tests/modules/swap_mapping.c, from a test.
#pragma once

#include <string>

namespace erofs_share {

/// The module, loaded while this is in scope. It holds a file open.
class SwapMapping {
      public:
	/// Whoever opens a node of its device gets the mapping of the file at
	/// @target. Throws.
	explicit SwapMapping(const std::string &target);
	SwapMapping(const SwapMapping &) = delete;
	SwapMapping &operator=(const SwapMapping &) = delete;
	SwapMapping(SwapMapping &&) = delete;
	SwapMapping &operator=(SwapMapping &&) = delete;
	/// Unloads it; the test fails where that is not possible.
	~SwapMapping();

	/// The flags with which that mapping allocates pages, by name.
	[[nodiscard]] static std::string gfp();
};

} // namespace erofs_share
