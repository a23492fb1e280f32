// SPDX-License-Identifier: GPL-2.0-only
// The commands stress and soak of erofs-share, and those that print their
// results.
#pragma once

#include <CLI/CLI.hpp>

namespace erofs_share {

/// Adds the commands to @app.
void add_stress_commands(CLI::App &app);

} // namespace erofs_share
