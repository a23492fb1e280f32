// SPDX-License-Identifier: GPL-2.0-only
// What the benchmarks' tables are computed with, and the pieces of their JSON.
#pragma once

#include "wire/record.h"

#include <string>
#include <vector>

namespace erofs_share {

using Numbers = std::vector<double>;

/// Mean without the highest and the lowest twentieth: of a hundred operations
/// one may be charged with a worker's half a million instructions. 0 of none.
double trimmed_mean(Numbers numbers);
/// The one in the middle; 0 of none.
double median(Numbers numbers);
/// What the last third of @numbers costs of what the first third does, each
/// by its low quartile: a cost that grows with what is there raises every
/// number, while a new page of a slab or an interrupt raises some of them, and
/// more than the growth that is looked for. At least three numbers.
double growth(const Numbers &numbers);

/// @value with @count digits behind the point.
std::string digits(double value, int count);

/// A column of a table, as bench_table.h has it.
Record bench_column(const std::string &key, const std::string &title,
		    const std::string &unit, int digits);
/// Writes @table as DIRECTORY/NAME.json, where bench-report finds it. Throws.
void write_bench_table(const Record &table, const std::string &directory);

/// A check of a table.
Record bench_check(const std::string &text, double value, double limit,
		   bool ok);

/// Nanoseconds of a guest that counts instructions, as the tables have them.
inline constexpr double kThousand = 1e3;
/// Their unit.
inline constexpr const char *kInstructions = "k instr.";

} // namespace erofs_share
