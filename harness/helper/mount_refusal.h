// SPDX-License-Identifier: GPL-2.0-only
// What a kernel's refusal of a mount means, and what to do about it.
#pragma once

#include "os/fs_context.h"

#include <string>
#include <string_view>
#include <vector>

namespace erofs_share {

/// What is to be said of @source if it can be read and has no superblock of
/// erofs; else "".
std::string why_no_image(const std::string &source);

/// Whether the kernel's @words say that it knows no such option.
bool is_unknown_parameter(std::string_view words);

/// The kernel's words of @outcome, without their levels, and @kernel_log's.
std::vector<std::string> words_of(const MountOutcome &outcome,
				  const std::vector<std::string> &kernel_log);

/// Cause and remedy of @outcome, of a mount of @source: half a sentence; "" if
/// nothing is known beyond the errno. @kernel_log is what the kernel logged
/// meanwhile.
std::string explain(const MountOutcome &outcome, const std::string &source,
		    const std::vector<std::string> &kernel_log);

} // namespace erofs_share
