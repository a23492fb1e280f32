// SPDX-License-Identifier: GPL-2.0-only
// The command status of erofs-share.
#pragma once

#include <CLI/CLI.hpp>

namespace erofs_share {

/// Adds status to @app.
void add_status_command(CLI::App &app);

} // namespace erofs_share
