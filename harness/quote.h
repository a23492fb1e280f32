// SPDX-License-Identifier: GPL-2.0-only
// Names from images, which may be anybody's, as they can be printed: nothing in
// them ends a line or speaks to a terminal.
#pragma once

#include <string>
#include <string_view>

namespace erofs_share {

/// @name as it is where every character can be printed; else in the shell's
/// $'...', with control characters, and bytes that are no UTF-8, as escapes.
std::string quote_name(std::string_view name);

} // namespace erofs_share
