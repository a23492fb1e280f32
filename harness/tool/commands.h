// SPDX-License-Identifier: GPL-2.0-only
// The commands of erofs-share, one file a command. Each function adds its own
// to @app.
#pragma once

#include <CLI/CLI.hpp>

namespace erofs_share {

/// mount and umount
void add_mount_commands(CLI::App &app);
void add_status_command(CLI::App &app);
void add_estimate_command(CLI::App &app);
void add_check_command(CLI::App &app);
void add_fingerprint_command(CLI::App &app);

} // namespace erofs_share
