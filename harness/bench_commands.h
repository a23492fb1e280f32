// SPDX-License-Identifier: GPL-2.0-only
// Command lines of the benchmarks.
#pragma once

#include <CLI/CLI.hpp>

namespace erofs_share {

/// Adds the commands that scripts/bench and its parts call to @app.
void add_bench_commands(CLI::App &app);

} // namespace erofs_share
