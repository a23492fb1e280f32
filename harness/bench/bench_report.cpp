// SPDX-License-Identifier: GPL-2.0-only
// Measured tables for people.
#include "bench/bench_report.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace erofs_share {

namespace {

/// The cells of @table, the head first; the first of each is the row's name.
std::vector<std::vector<std::string>> cells_of(const BenchTable &table)
{
	std::vector<std::vector<std::string>> lines(1, {""});

	for (const auto &column : table.columns)
		lines.front().push_back(column.head());
	for (const auto &row : table.rows) {
		lines.push_back({row.name});
		for (const auto &column : table.columns)
			lines.back().push_back(
				bench_cell(column, row.value(column)));
	}
	return lines;
}

/// Puts a backslash before each of @special in @text.
std::string escaped(const std::string &text, const std::string &special)
{
	std::string safe;

	for (const char c : text) {
		if (special.find(c) != std::string::npos)
			safe += '\\';
		safe += c;
	}
	return safe;
}

std::string markdown_safe(const std::string &text)
{
	return escaped(text, "\\|*_<`");
}

std::string rst_safe(const std::string &text)
{
	return escaped(text, "\\*|_`");
}

/// @text with its lines broken at about 78 characters.
std::string wrapped(const std::string &text)
{
	constexpr std::size_t kWidth = 78;
	std::istringstream words(text);
	std::string all;
	std::size_t column = 0;

	for (std::string word; words >> word;) {
		const bool fits = column + 1 + word.size() <= kWidth;

		if (column > 0)
			all += fits ? ' ' : '\n';
		column = (column > 0 && fits ? column + 1 : 0) + word.size();
		all += word;
	}
	return all + "\n";
}

/// "NAME: note" of each row that has one.
std::vector<std::string> notes_of(const BenchTable &table)
{
	std::vector<std::string> notes;

	for (const auto &row : table.rows)
		if (!row.note.empty())
			notes.push_back(row.name + ": " + row.note);
	return notes;
}

/// The line ".. WHICH NAME" of @text from @from on; npos if there is none.
std::size_t find_comment(const std::string &text, const std::string &which,
			 const std::string &name, std::size_t from = 0)
{
	const std::string line = "\n.. " + which + " " + name + "\n";
	const std::size_t found = text.find(line, from);

	return found == std::string::npos ? found : found + 1;
}

/// Cells of a run: (table, row, column) and how they are shown.
struct Cell {
	BenchTable::Column column;
	std::optional<double> value;
};
using Cells = std::map<std::array<std::string, 3>, Cell>;

Cells cells_by_name(const std::vector<BenchTable> &tables)
{
	Cells cells;

	for (const auto &table : tables)
		for (const auto &row : table.rows)
			for (const auto &column : table.columns)
				cells[{table.name, row.name, column.key}] = {
					column, row.value(column)};
	return cells;
}

bool agree(const Cell &a, const Cell &b)
{
	constexpr double kPercent = 2;

	if (!a.value || !b.value)
		return a.value.has_value() == b.value.has_value();
	const double difference = std::abs(*a.value - *b.value);
	if (a.column.unit == "%")
		return difference <= kPercent;
	return difference <=
	       kPercent / 100 *
		       std::max(std::abs(*a.value), std::abs(*b.value));
}

} // namespace

void print_bench_table(std::ostream &out, const BenchTable &table)
{
	const auto cells = cells_of(table);
	std::vector<TextTable::Column> columns;

	for (const std::string &title : cells.front())
		columns.push_back({title, columns.empty() ? Align::kLeft
							  : Align::kRight});
	TextTable text(columns);
	for (auto line = cells.begin() + 1; line != cells.end(); ++line)
		text.add(*line);
	out << '\n' << table.title << "\n\n";
	text.print(out);
	for (const std::string &note : notes_of(table))
		out << "  " << note << '\n';
	out << '\n' << table.says << '\n';
	for (const auto &check : table.checks)
		if (check.ok != true)
			out << (check.ok ? "FAILED " : "skipped ") << table.name
			    << ": " << check.sentence() << '\n';
}

std::string bench_markdown(const BenchTable &table)
{
	std::ostringstream out;
	bool head = true;

	out << "### " << markdown_safe(table.title) << "\n\n";
	for (const auto &line : cells_of(table)) {
		for (const std::string &cell : line)
			out << "| " << markdown_safe(cell) << ' ';
		out << "|\n";
		if (head) {
			out << "|---|";
			for (std::size_t i = 1; i < line.size(); i++)
				out << "---:|";
			out << '\n';
		}
		head = false;
	}
	for (const std::string &note : notes_of(table))
		out << '\n' << markdown_safe(note) << '\n';
	out << '\n' << markdown_safe(table.says) << "\n\n";
	for (const std::string &line : table.provenance())
		out << "- " << markdown_safe(line) << '\n';
	return out.str();
}

std::string bench_rst(const BenchTable &table)
{
	const auto lines = cells_of(table);
	std::vector<std::size_t> widths(lines.front().size(), 2);
	std::ostringstream out;

	for (const auto &line : lines)
		for (std::size_t i = 0; i < line.size(); i++)
			widths[i] =
				std::max(widths[i], rst_safe(line[i]).size());
	const auto rule = [&] {
		for (std::size_t i = 0; i < widths.size(); i++)
			out << (i == 0 ? "" : "  ")
			    << std::string(widths[i], '=');
		out << '\n';
	};
	rule();
	for (const auto &line : lines) {
		std::string padded;

		for (std::size_t i = 0; i < line.size(); i++) {
			// A row without a name would continue the one above.
			std::string cell = rst_safe(line[i]);
			if (i == 0 && cell.empty())
				cell = "..";
			const std::string space(
				std::max(widths[i], cell.size()) - cell.size(),
				' ');
			padded += (i == 0 ? "" : "  ");
			padded += i == 0 ? cell + space : space + cell;
		}
		padded.erase(padded.find_last_not_of(' ') + 1);
		out << padded << '\n';
		if (&line == lines.data())
			rule();
	}
	rule();
	for (const std::string &note : notes_of(table))
		out << '\n' << wrapped(rst_safe(note));
	out << '\n' << wrapped(rst_safe(table.says)) << '\n';
	bool first = true;
	std::string measured;
	for (const std::string &line : table.provenance()) {
		measured += (first ? "" : "; ") + rst_safe(line);
		first = false;
	}
	out << wrapped("Measured on: " + measured + ".");
	return out.str();
}

std::vector<std::string>
write_bench_tables_into(const std::string &path,
			const std::vector<BenchTable> &tables)
{
	std::string text = read_text(path);
	std::vector<std::string> homeless;

	for (const BenchTable &table : tables) {
		const std::size_t begin =
			find_comment(text, "begin", table.name);

		if (begin == std::string::npos) {
			homeless.push_back(table.name);
			continue;
		}
		const std::size_t inside = text.find('\n', begin) + 1;
		const std::size_t end =
			find_comment(text, "end", table.name, inside - 1);
		if (end == std::string::npos)
			throw std::runtime_error(
				path + ": '.. begin " + table.name +
				"' has no '.. end " + table.name +
				"' after it; add that line");
		text.replace(inside, end - inside,
			     "\n" + bench_rst(table) + "\n");
	}
	write_file(path, text);
	return homeless;
}

bool compare_bench_runs(std::ostream &out, const std::vector<BenchTable> &first,
			const std::vector<BenchTable> &second)
{
	const Cells one = cells_by_name(first);
	const Cells other = cells_by_name(second);
	std::set<std::array<std::string, 3>> names;
	TextTable differing({{"table", Align::kLeft},
			     {"row", Align::kLeft},
			     {"column", Align::kLeft},
			     {"first run", Align::kRight},
			     {"second run", Align::kRight}});
	std::size_t apart = 0;

	for (const Cells *cells : {&one, &other})
		for (const auto &[name, cell] : *cells)
			names.insert(name);
	for (const auto &name : names) {
		const auto a = one.find(name);
		const auto b = other.find(name);
		const auto shown = [](const Cells &cells, auto found) {
			return found == cells.end()
				       ? std::string("none")
				       : bench_cell(found->second.column,
						    found->second.value);
		};

		if (a != one.end() && b != other.end() &&
		    agree(a->second, b->second))
			continue;
		apart++;
		differing.add({name[0], name[1], name[2], shown(one, a),
			       shown(other, b)});
	}
	if (apart == 0) {
		out << "All " << names.size()
		    << " cells of the two runs agree within 2 %.\n";
		return true;
	}
	differing.print(out);
	out << '\n'
	    << apart << " of " << names.size()
	    << " cells of the two runs do not agree within 2 %.\n";
	return false;
}

} // namespace erofs_share
