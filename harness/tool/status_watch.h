// SPDX-License-Identifier: GPL-2.0-only
// Showing a text again and again on one place of a terminal.
#pragma once

#include <cstddef>
#include <string>

namespace erofs_share {

/// Rows and columns of a terminal.
struct ScreenSize {
	std::size_t rows = 24;
	std::size_t columns = 80;
};

/// The size of the terminal at standard output, or one of long ago.
ScreenSize screen_size();

/// What draws @text over what is there, without clearing it first: a screen
/// that is cleared flickers. Lines are cut off at the right, and there is no
/// newline behind the last, which would scroll.
std::string screen_of(const std::string &text, const ScreenSize &size);

} // namespace erofs_share
