// SPDX-License-Identifier: GPL-2.0-only
// The commands of erofs-share that an administrator uses.
#pragma once

#include <CLI/CLI.hpp>

namespace erofs_share {

/// Exit status of these commands; erofs-share(8) documents them.
inline constexpr int kExitWrong = 1;  ///< check: not all files have a right one
inline constexpr int kExitFailed = 2; ///< it could not be done

/// Adds mount, umount, status, estimate, check and fingerprint to @app.
void add_share_commands(CLI::App &app);

} // namespace erofs_share
