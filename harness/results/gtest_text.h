// SPDX-License-Identifier: GPL-2.0-only
// Turns what GoogleTest says into words for a table.
#pragma once

#include <string>

namespace erofs_share {

/// The name of a test without its instantiation and parameters:
/// "Pairs/SharedPair.Shares/a_b" is of the promise "SharedPair.Shares".
std::string promise_of(const std::string &test);

/// A CamelCase name as words: "OpenFailsWithEinval" is "Open fails with
/// EINVAL".
std::string sentence(const std::string &name);

/// Why a test failed, in one line, from the text of its failures. Measured
/// amounts and names made up by a run are left out: equal failures give equal
/// words.
std::string short_reason(const std::string &text);

/// @text in at most @length characters, with "..." if some are left out.
std::string cut(const std::string &text, std::size_t length);

} // namespace erofs_share
