// SPDX-License-Identifier: GPL-2.0-only
// Tables of text for people, and sizes as they read them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace erofs_share {

/// On which side of its column a cell stands.
enum class Align : std::uint8_t { kLeft, kRight };

/// Rows below a header, each column as wide as its widest cell.
class TextTable {
      public:
	struct Column {
		std::string title;
		Align align;
	};

	explicit TextTable(std::vector<Column> columns)
	    : columns_(std::move(columns))
	{
	}
	/// Adds a row with a cell for each column.
	void add(std::vector<std::string> cells)
	{
		rows_.push_back(std::move(cells));
	}
	/// Writes a line for the titles and for each row.
	void print(std::ostream &out) const;

      private:
	std::vector<Column> columns_;
	std::vector<std::vector<std::string>> rows_;
};

/// @bytes with three digits at most and a unit of 1024, as df -h has it: "0",
/// "512", "4.0K", "64M".
std::string human_bytes(std::uint64_t bytes);

/// @part of @whole: "12.5 %"; "-" of nothing.
std::string percent(std::uint64_t part, std::uint64_t whole);

} // namespace erofs_share
