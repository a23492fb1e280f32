// SPDX-License-Identifier: GPL-2.0-only
// Measured tables as text, Markdown and reStructuredText, and two runs of them
// side by side. The page of all is in bench_html.h.
#pragma once

#include "bench/bench_table.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace erofs_share {

/// Prints @table, its sentence, and its checks that failed or were skipped.
void print_bench_table(std::ostream &out, const BenchTable &table);

/// @table in Markdown, with its sentence and what was measured.
std::string bench_markdown(const BenchTable &table);

/// The same in reStructuredText, without a heading.
std::string bench_rst(const BenchTable &table);

/// Puts each of @tables into the file @path, in place of what stands between
/// the comments ".. begin NAME" and ".. end NAME". What stands between comments
/// of other names stays. Returns the names that the file has no place for.
/// Throws std::runtime_error when a place has no end.
std::vector<std::string>
write_bench_tables_into(const std::string &path,
			const std::vector<BenchTable> &tables);

/// Prints which cells of two runs differ by more than 2 % of the larger (in
/// columns of percent: by more than two points), or are in one of them only,
/// and a sentence. Returns whether there are none.
bool compare_bench_runs(std::ostream &out, const std::vector<BenchTable> &first,
			const std::vector<BenchTable> &second);

} // namespace erofs_share
