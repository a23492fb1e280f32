// SPDX-License-Identifier: GPL-2.0-only
// The table of the searches of a guest's memory.
#include "secrecy/ram_report.h"

#include "secrecy/secrecy_walk.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <set>
#include <sstream>

namespace erofs_share {

namespace {

/// Of a way of mounting, in characters.
constexpr int kColumn = 19;

/// Hits of one search that are printed with where they are.
constexpr std::size_t kShown = 3;

/// The forms that a control must be found in.
constexpr std::array<const char *, 4> kForms = {"bytes", "UTF-16LE", "UTF-16BE",
						"reversed"};

std::string hexadecimal(std::uint64_t number)
{
	std::ostringstream text;

	text << "0x" << std::hex << number;
	return text.str();
}

void print_hit(std::ostream &out, const std::string &when, const RamHit &hit)
{
	out << "    " << when << " at " << hexadecimal(hit.address) << " ("
	    << hit.form << "): " << hit.around << '\n';
}

} // namespace

std::size_t RamReport::Cell::most_hits() const
{
	std::size_t most = 0;

	for (const Search &search : searches)
		most = std::max(most, search.hits.size());
	return most;
}

std::string RamReport::Cell::failure() const
{
	if (!surprise.empty())
		return "the kernel answered '" + searches.front().outcome +
		       "': " + surprise;
	if (expect == kExpectNothing && most_hits() > 0)
		return "the id is in memory";
	if (expect == kExpectEveryForm)
		for (const char *form : kForms)
			for (const Search &search : searches)
				if (std::none_of(search.hits.begin(),
						 search.hits.end(),
						 [&](const RamHit &hit) {
							 return hit.form ==
								form;
						 }))
					return std::string(
						       "the search did not "
						       "find the copy as ") +
					       form;
	return "";
}

void RamReport::add(const Record &record, std::vector<RamHit> hits)
{
	const std::string point = record.at("point");
	const std::string way = record.at("way");
	auto row = std::find_if(rows_.begin(), rows_.end(),
				[&](const Row &r) { return r.point == point; });

	if (row == rows_.end())
		row = rows_.insert(rows_.end(), {point, {}});
	if (!way.empty() &&
	    std::find(ways_.begin(), ways_.end(), way) == ways_.end())
		ways_.push_back(way);
	Cell &cell = row->cells[way];
	cell.expect = record.at("expect");
	if (cell.surprise.empty())
		cell.surprise = record.at("surprise");
	cell.searches.push_back(
		{record.at("when"), record.at("outcome"), std::move(hits)});
}

template <typename Predicate>
std::size_t RamReport::count(Predicate wanted) const
{
	std::size_t number = 0;

	for (const Row &row : rows_)
		for (const auto &[way, cell] : row.cells)
			if (wanted(cell))
				number++;
	return number;
}

std::size_t RamReport::passed() const
{
	return count([](const Cell &cell) {
		return cell.expect != kOutOfReach && cell.failure().empty();
	});
}

std::size_t RamReport::failed() const
{
	return count([](const Cell &cell) {
		       return cell.expect != kOutOfReach &&
			      !cell.failure().empty();
	       }) +
	       (complete() ? 0 : 1);
}

void RamReport::print_failures(std::ostream &out) const
{
	// A copy that stays is in every search from then on.
	std::set<std::uint64_t> known;

	for (const Row &row : rows_)
		for (const auto &[way, cell] : row.cells) {
			if (cell.expect == kOutOfReach ||
			    cell.failure().empty())
				continue;
			out << "FAILED " << row.point
			    << (way.empty() ? "" : ", ") << way << ": "
			    << cell.failure() << '\n';
			for (const Search &search : cell.searches) {
				std::size_t fresh = 0;

				for (const RamHit &hit : search.hits)
					if (known.insert(hit.address).second &&
					    fresh++ < kShown)
						print_hit(out, search.when,
							  hit);
				if (fresh > kShown)
					out << "    " << search.when << " at "
					    << fresh - kShown
					    << " more places\n";
			}
		}
	if (!complete())
		out << "FAILED the guest did not come to its end"
		    << (status_ > 0 ? ": its program says why on the console"
				    : "")
		    << '\n';
}

void RamReport::print_table(std::ostream &out, bool outside) const
{
	std::size_t width = 0;

	for (const Row &row : rows_)
		width = std::max(width, row.point.size());
	width += 2;
	const auto cell_text = [&](const Row &row, const std::string &way) {
		const auto found = row.cells.find(way);

		if (found == row.cells.end() ||
		    (found->second.expect == kOutOfReach) != outside)
			return std::string();
		return std::to_string(found->second.most_hits());
	};
	out << std::left << std::setw(static_cast<int>(width))
	    << (outside ? "out of erofs' reach, adding up" : "point");
	for (const std::string &way : ways_)
		out << std::right << std::setw(kColumn) << way;
	out << '\n';
	for (const Row &row : rows_) {
		const std::string anyway = cell_text(row, "");
		std::ostringstream cells;
		bool any = false;

		for (const std::string &way : ways_) {
			std::string text = cell_text(row, way);

			if (text.empty())
				text = anyway;
			any = any || !text.empty();
			cells << std::setw(kColumn)
			      << (text.empty() ? "-" : text);
		}
		if (any)
			out << std::left << std::setw(static_cast<int>(width))
			    << row.point << cells.str() << '\n';
	}
}

void RamReport::print_meaning(std::ostream &out) const
{
	constexpr std::uint64_t kMegabyte = 1 << 20;
	std::size_t searches = 0;
	std::size_t found = 0;
	std::size_t most = 0;

	for (const Row &row : rows_)
		for (const auto &[way, cell] : row.cells) {
			if (cell.expect != kExpectNothing)
				continue;
			searches += cell.searches.size();
			most = std::max(most, cell.most_hits());
			for (const Search &search : cell.searches)
				found += search.hits.empty() ? 0 : 1;
		}
	out << "On Linux " << kernel_ << ", " << searches << " searches of "
	    << memory_ / kMegabyte
	    << " MB of memory for the domain id, as bytes, as UTF-16 and "
	       "reversed, whole or half: ";
	if (found == 0)
		out << "it was nowhere.";
	else
		out << "it was there in " << found << ", with up to " << most
		    << " copies at once.";
	out << '\n';
}

void RamReport::print(std::ostream &out) const
{
	print_failures(out);
	if (rows_.empty())
		return;
	out << "copies of the domain id in all of the guest's memory:\n\n";
	print_table(out, false);
	out << '\n';
	print_table(out, true);
	out << '\n';
	print_meaning(out);
}

} // namespace erofs_share
