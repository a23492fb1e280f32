// SPDX-License-Identifier: GPL-2.0-only
// The commands of erofs-share with which scripts/bench-cost and
// scripts/bench-alternatives measure and make tables.
#pragma once

#include <CLI/CLI.hpp>

namespace erofs_share {

/// Adds the commands to @app.
void add_bench_cost_commands(CLI::App &app);

} // namespace erofs_share
