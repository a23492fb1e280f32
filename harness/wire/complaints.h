// SPDX-License-Identifier: GPL-2.0-only
// Which lines of a kernel log are complaints.
#pragma once

#include <string>

namespace erofs_share {

/// Whether @line is one that no healthy kernel logs: BUG, WARNING, KASAN,
/// lockdep, RCU, kmemleak, ... complaints.txt has the list.
bool is_complaint(const std::string &line);

} // namespace erofs_share
