// SPDX-License-Identifier: GPL-2.0-only
// The measured tables that parts of scripts/bench/bench leave behind, a JSON file
// each. A file NAME.json has
//
//   name, title  what it is called in file names, and for people
//   order        its place among the tables
//   says         a sentence that says what the numbers mean
//   kernel       releases that were measured; images: the images' versions;
//                qemu: QEMU's version; command: what makes the table again
//   columns      key, title, unit, digits (behind the point)
//   rows         name, values (by column key; a number, or null), note
//   plot         kind ("bars" or "lines"), columns (their keys), unit, log
//   checks       text, ok (true, false, or null: skipped), value, limit
//   raw          anything that the numbers were computed from
//
// plot, checks, raw, a row's note, and a check's value and limit may be left
// out.
#pragma once

#include "wire/record.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// One of these tables.
struct BenchTable {
	struct Column {
		std::string key;
		std::string title;
		std::string unit; ///< "" for a mere number
		int digits = 0;

		/// The title with the unit, for a table's head.
		[[nodiscard]] std::string head() const;
	};
	struct Row {
		std::string name;
		/// By column key; no number where nothing was measured.
		std::map<std::string, std::optional<double>> values;
		std::string note;

		/// The number in @column, if there is one.
		[[nodiscard]] std::optional<double>
		value(const Column &column) const;
	};
	struct Plot {
		bool lines = false;
		std::vector<std::string> columns;
		std::string unit;
		bool log = false;
	};
	struct Check {
		std::string text;
		std::optional<bool> ok; ///< nothing: skipped
		std::optional<double> value;
		std::optional<double> limit;

		/// The text, with value and limit where there are any.
		[[nodiscard]] std::string sentence() const;
	};

	std::string name;
	std::string title;
	std::string says;
	double order = 0;
	std::vector<std::string> kernel;
	std::vector<std::string> images;
	std::string qemu;
	std::string command;
	std::vector<Column> columns;
	std::vector<Row> rows;
	std::optional<Plot> plot;
	std::vector<Check> checks;

	/// How many checks came to @ok (nothing: were skipped).
	[[nodiscard]] std::size_t count(std::optional<bool> ok) const;
	/// What was measured, a line a thing: "kernel: ...".
	[[nodiscard]] std::vector<std::string> provenance() const;
	/// The column with @key; throws std::out_of_range.
	[[nodiscard]] const Column &column(const std::string &key) const;
};

/// What a cell shows: @value with the digits of its @column, or "-".
std::string bench_cell(const BenchTable::Column &column,
		       std::optional<double> value);

/// The tables of all files NAME.json in @directory, in their order. Throws
/// std::runtime_error that names the file, and what is wrong with it, when one
/// is no such table or there is none.
std::vector<BenchTable> read_bench_tables(const std::string &directory);

} // namespace erofs_share
