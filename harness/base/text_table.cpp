// SPDX-License-Identifier: GPL-2.0-only
// Tables of text for people.
#include "base/text_table.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace erofs_share {

void TextTable::print(std::ostream &out) const
{
	std::vector<std::size_t> widths;

	for (std::size_t i = 0; i < columns_.size(); i++) {
		widths.push_back(columns_[i].title.size());
		for (const auto &row : rows_)
			widths[i] = std::max(widths[i], row[i].size());
	}
	const auto line = [&](const auto &cell) {
		std::ostringstream text;

		for (std::size_t i = 0; i < columns_.size(); i++)
			text << (i == 0 ? "" : "  ")
			     << (columns_[i].align == Align::kLeft ? std::left
								   : std::right)
			     << std::setw(static_cast<int>(widths[i]))
			     << cell(i);
		std::string plain = text.str();
		plain.erase(plain.find_last_not_of(' ') + 1);
		out << plain << '\n';
	};
	line([&](std::size_t i) { return columns_[i].title; });
	for (const auto &row : rows_)
		line([&](std::size_t i) { return row[i]; });
}

std::string human_bytes(std::uint64_t bytes)
{
	constexpr std::array<const char *, 7> kUnits = {"",  "K", "M", "G",
							"T", "P", "E"};
	auto value = static_cast<double>(bytes);
	std::size_t unit = 0;

	while (value >= 1023.5 && unit + 1 < kUnits.size()) {
		value /= 1024;
		unit++;
	}
	std::ostringstream text;
	text << std::fixed
	     << std::setprecision(unit > 0 && value < 9.95 ? 1 : 0) << value
	     << kUnits[unit];
	return text.str();
}

std::string percent(std::uint64_t part, std::uint64_t whole)
{
	if (whole == 0)
		return "-";
	std::ostringstream text;

	text << std::fixed << std::setprecision(1)
	     << 100.0 * static_cast<double>(part) / static_cast<double>(whole)
	     << " %";
	return text.str();
}

} // namespace erofs_share
