// SPDX-License-Identifier: GPL-2.0-only
// Measured tables as one page of HTML with plots, which needs nothing else.
#pragma once

#include "bench/bench_table.h"

#include <iosfwd>
#include <vector>

namespace erofs_share {

/// Writes a page with all of @tables: each with its plot as inline SVG, its
/// sentence, its checks and what was measured. No script, nothing from outside.
void write_bench_html(std::ostream &out, const std::vector<BenchTable> &tables);

} // namespace erofs_share
