// SPDX-License-Identifier: GPL-2.0-only
// Names from images, which may be anybody's, as they can be printed: nothing in
// them ends a line or speaks to a terminal. And names that a shell is to read.
#pragma once

#include <string>
#include <string_view>

namespace erofs_share {

/// @name as it is where every character can be printed; else in the shell's
/// $'...', with control characters, and bytes that are no UTF-8, as escapes.
std::string quote_name(std::string_view name);

/// @name as one word of a shell, in a line that somebody may paste: in '...'
/// but where nothing needs that; what cannot be printed as quote_name() has it.
std::string shell_word(std::string_view name);

/// @text with U+FFFD for each byte that is not part of UTF-8; control
/// characters stay.
std::string utf8_text(std::string_view text);

/// @text, which may have names of anybody's in it, as one line that says
/// nothing to a terminal: what cannot be printed as an escape.
std::string one_line(std::string_view text);

} // namespace erofs_share
