// SPDX-License-Identifier: GPL-2.0-only
// How the commands of administrators fail, and how they print JSON.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace erofs_share {

/// Runs @body. What it throws is one line on standard error and kExitFailed.
void or_fail(const std::function<void()> &body);

/// @json as text, indented by @indent. Names may have any bytes: what is no
/// UTF-8 is replaced.
std::string json_text(const nlohmann::json &json, int indent);

} // namespace erofs_share
