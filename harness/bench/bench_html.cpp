// SPDX-License-Identifier: GPL-2.0-only
// The page of all measured tables. Each plot repeats what its table has: who
// sees no picture misses nothing.
#include "bench/bench_html.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace erofs_share {

namespace {

// Of the plots, in pixels.
constexpr double kWidth = 760;
constexpr double kLeft = 190; ///< of bars: where names end
constexpr double kRight = 90; ///< room for a bar's number
constexpr double kBar = 15;
constexpr double kGap = 12;
constexpr double kLegend = 26;
constexpr double kHeight = 300; ///< of lines
constexpr double kAxis = 60;

constexpr std::array kColours = {"#4477aa", "#ee6677", "#228833", "#ccbb44",
				 "#66ccee", "#aa3377", "#777777"};

std::string safe(const std::string &text)
{
	std::string all;

	for (const char c : text)
		switch (c) {
		case '&':
			all += "&amp;";
			break;
		case '<':
			all += "&lt;";
			break;
		case '>':
			all += "&gt;";
			break;
		case '"':
			all += "&quot;";
			break;
		default:
			all += c;
		}
	return all;
}

/// One number for an attribute.
std::string at(double value)
{
	std::ostringstream out;

	out << std::fixed << std::setprecision(1) << value;
	return out.str();
}

/// Maps values to pixels, from nothing (of logarithms: the smallest) to the
/// largest.
class Scale {
      public:
	Scale(const BenchTable &table, double length)
	    : log_(table.plot->log), length_(length)
	{
		double smallest = 0;

		for (const auto &row : table.rows)
			for (const std::string &key : table.plot->columns) {
				const auto value = row.value(table.column(key));

				if (!value)
					continue;
				top_ = std::max(top_, *value);
				if (*value > 0 &&
				    (smallest == 0 || *value < smallest))
					smallest = *value;
			}
		if (top_ <= 0)
			top_ = 1;
		if (log_ && smallest > 0)
			bottom_ =
				std::pow(10, std::floor(std::log10(smallest)));
		if (log_ && top_ <= bottom_)
			top_ = bottom_ * 10;
	}

	[[nodiscard]] double pixels(double value) const
	{
		if (!log_)
			return std::max(0.0, value) / top_ * length_;
		if (value <= bottom_)
			return 0;
		return std::log(value / bottom_) / std::log(top_ / bottom_) *
		       length_;
	}

	/// Where to draw lines across the plot.
	[[nodiscard]] std::vector<double> ticks() const
	{
		std::vector<double> all;

		if (log_) {
			const int decades = static_cast<int>(
				std::floor(std::log10(top_ / bottom_) + 1e-4));

			all.reserve(static_cast<std::size_t>(decades) + 1);
			for (int i = 0; i <= decades; i++)
				all.push_back(bottom_ * std::pow(10, i));
			return all;
		}
		double step = std::pow(10, std::floor(std::log10(top_)));
		if (top_ / step < 2)
			step /= 5;
		else if (top_ / step < 5)
			step /= 2;
		for (int i = 0; step * i <= top_ * 1.0001; i++)
			all.push_back(step * i);
		return all;
	}

      private:
	bool log_;
	double length_;
	double top_ = 0;
	double bottom_ = 1;
};

std::string tick_text(double value)
{
	std::ostringstream out;

	if (value >= 1e6)
		out << std::setprecision(4) << value / 1e6 << " M";
	else if (value >= 1e4)
		out << std::setprecision(4) << value / 1e3 << " k";
	else
		out << std::setprecision(4) << value;
	return out.str();
}

void text_at(std::ostream &out, double x, double y, const char *anchor,
	     const std::string &text)
{
	out << "<text x=\"" << at(x) << "\" y=\"" << at(y)
	    << "\" text-anchor=\"" << anchor << "\">" << safe(text)
	    << "</text>\n";
}

const char *colour(std::size_t series)
{
	return kColours[series % kColours.size()];
}

void write_legend(std::ostream &out, const BenchTable &table)
{
	double x = 4;

	for (std::size_t i = 0; i < table.plot->columns.size(); i++) {
		const std::string title =
			table.column(table.plot->columns[i]).title;

		out << "<rect x=\"" << at(x)
		    << "\" y=\"4\" width=\"12\" height=\"12\" fill=\""
		    << colour(i) << "\"/>\n";
		text_at(out, x + 17, 14, "start", title);
		x += 34 + 7.5 * static_cast<double>(title.size());
	}
	if (!table.plot->unit.empty())
		text_at(out, kWidth - 4, 14, "end",
			table.plot->unit +
				(table.plot->log ? ", logarithmic" : ""));
}

void begin_svg(std::ostream &out, const BenchTable &table, double height)
{
	out << "<svg viewBox=\"0 0 " << at(kWidth) << ' ' << at(height)
	    << "\" role=\"img\" aria-label=\"" << safe(table.title) << "\">\n";
	write_legend(out, table);
}

void write_bars(std::ostream &out, const BenchTable &table)
{
	const auto series = static_cast<double>(table.plot->columns.size());
	const double group = series * kBar + kGap;
	const double height =
		kLegend + group * static_cast<double>(table.rows.size());
	const Scale scale(table, kWidth - kLeft - kRight);
	double y = kLegend;

	begin_svg(out, table, height);
	for (const auto &row : table.rows) {
		text_at(out, kLeft - 8, y + series * kBar / 2 + 4, "end",
			row.name);
		for (std::size_t i = 0; i < table.plot->columns.size(); i++) {
			const auto &column =
				table.column(table.plot->columns[i]);
			const auto value = row.value(column);
			const double width = value ? scale.pixels(*value) : 0;

			out << "<rect x=\"" << at(kLeft) << "\" y=\"" << at(y)
			    << "\" width=\"" << at(width) << "\" height=\""
			    << at(kBar - 2) << "\" fill=\"" << colour(i)
			    << "\"/>\n";
			text_at(out, kLeft + width + 5, y + kBar - 4, "start",
				bench_cell(column, value));
			y += kBar;
		}
		y += kGap;
	}
	out << "</svg>\n";
}

void write_lines(std::ostream &out, const BenchTable &table)
{
	const double bottom = kLegend + kHeight;
	const Scale scale(table, kHeight - 16);
	const double step = (kWidth - kAxis - 40) /
			    static_cast<double>(std::max<std::size_t>(
				    1, table.rows.size() - 1));
	const auto x = [&](std::size_t row) {
		return kAxis + step * static_cast<double>(row);
	};

	begin_svg(out, table, bottom + 24);
	for (const double tick : scale.ticks()) {
		const double y = bottom - scale.pixels(tick);

		out << "<line x1=\"" << at(kAxis) << "\" x2=\""
		    << at(kWidth - 40) << "\" y1=\"" << at(y) << "\" y2=\""
		    << at(y) << "\" stroke=\"#8886\"/>\n";
		text_at(out, kAxis - 6, y + 4, "end", tick_text(tick));
	}
	for (std::size_t i = 0; i < table.rows.size(); i++)
		text_at(out, x(i), bottom + 18, "middle", table.rows[i].name);
	for (std::size_t i = 0; i < table.plot->columns.size(); i++) {
		const auto &column = table.column(table.plot->columns[i]);
		std::string points;
		std::string marks;

		for (std::size_t row = 0; row < table.rows.size(); row++) {
			const auto value = table.rows[row].value(column);

			if (!value)
				continue;
			const double y = bottom - scale.pixels(*value);
			points += at(x(row)) + "," + at(y) + " ";
			marks += "<circle cx=\"" + at(x(row)) + "\" cy=\"" +
				 at(y) + "\" r=\"3.5\" fill=\"" + colour(i) +
				 "\"/>\n";
		}
		out << "<polyline points=\"" << points
		    << "\" fill=\"none\" stroke-width=\"2\" stroke=\""
		    << colour(i) << "\"/>\n"
		    << marks;
	}
	out << "</svg>\n";
}

void write_cells(std::ostream &out, const BenchTable &table)
{
	out << "<table>\n<tr><th></th>";
	for (const auto &column : table.columns)
		out << "<th>" << safe(column.head()) << "</th>";
	out << "</tr>\n";
	for (const auto &row : table.rows) {
		out << "<tr><td>" << safe(row.name) << "</td>";
		for (const auto &column : table.columns)
			out << "<td>"
			    << safe(bench_cell(column, row.value(column)))
			    << "</td>";
		out << "</tr>\n";
	}
	out << "</table>\n";
	for (const auto &row : table.rows)
		if (!row.note.empty())
			out << "<p class=\"note\">" << safe(row.name) << ": "
			    << safe(row.note) << "</p>\n";
}

void write_checks(std::ostream &out, const BenchTable &table)
{
	if (table.checks.empty())
		return;
	out << "<ul>\n";
	for (const auto &check : table.checks)
		out << "<li class=\""
		    << (!check.ok   ? "skipped\">skipped: "
			: *check.ok ? "ok\">holds: "
				    : "failed\">FAILED: ")
		    << safe(check.sentence()) << "</li>\n";
	out << "</ul>\n";
}

constexpr const char *kHead =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>Page cache sharing for EROFS: measurements</title>\n<style>\n"
	":root { color-scheme: light dark; }\n"
	"body { font: 16px/1.5 sans-serif; max-width: 62em; margin: 2em auto; "
	"padding: 0 1em; }\n"
	"svg { width: 100%; height: auto; font: 12px sans-serif; }\n"
	"svg text { fill: currentColor; }\n"
	"table { border-collapse: collapse; display: block; overflow-x: auto; "
	"}\n"
	"th, td { padding: .2em .7em; text-align: right; border-bottom: 1px "
	"solid #8886; }\n"
	"td:first-child { text-align: left; }\n"
	".note, dl, li { font-size: 85%; }\n"
	".failed { font-weight: bold; color: #c22; }\n"
	"</style>\n</head>\n<body>\n";

} // namespace

void write_bench_html(std::ostream &out, const std::vector<BenchTable> &tables)
{
	out << kHead << "<h1>Measurements</h1>\n<ul>\n";
	for (const auto &table : tables)
		out << "<li><a href=\"#" << safe(table.name) << "\">"
		    << safe(table.title) << "</a></li>\n";
	out << "</ul>\n";
	for (const auto &table : tables) {
		out << "<section id=\"" << safe(table.name) << "\">\n<h2>"
		    << safe(table.title) << "</h2>\n<p><strong>"
		    << safe(table.says) << "</strong></p>\n";
		if (table.plot && table.plot->lines)
			write_lines(out, table);
		else if (table.plot)
			write_bars(out, table);
		write_cells(out, table);
		write_checks(out, table);
		out << "<p class=\"note\">";
		for (const std::string &line : table.provenance())
			out << safe(line) << "<br>\n";
		out << "</p>\n</section>\n";
	}
	out << "</body>\n</html>\n";
}

} // namespace erofs_share
