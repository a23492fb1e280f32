// SPDX-License-Identifier: GPL-2.0-only
// How the commands of erofs-share fail and print.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace erofs_share {

/// Exit status of the commands; erofs-share(8) documents them.
inline constexpr int kExitWrong = 1;  ///< check: not all files have a right one
inline constexpr int kExitFailed = 2; ///< it could not be done

/// Runs @body. What it throws is one line on standard error and kExitFailed.
void or_fail(const std::function<void()> &body);

/// @json as text, indented by @indent. Names may have any bytes: what is no
/// UTF-8 is replaced.
std::string json_text(const nlohmann::json &json, int indent);

/// Writes @text to standard output; fails with the reason that the system has.
void put(const std::string &text);

} // namespace erofs_share
