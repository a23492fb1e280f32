// SPDX-License-Identifier: GPL-2.0-only
// From records to tables: megabytes, what is saved of them, and whether it is
// what can be saved.
#include "bench/bench_memory_table.h"

#include "base/error.h"
#include "base/fd.h"
#include "bench/bench_numbers.h"
#include "wire/record.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

constexpr double kMegabyte = 1e6;
/// How far from the limit sharing may stay, in percentage points.
constexpr double kTolerance = 2;

struct TableKind {
	const char *name;
	const char *title;
	int order;
	const char *what; ///< of the sentence
};

constexpr std::array kKinds = {
	TableKind{
		"read",
		"Page cache of two minor versions of an image, every file read",
		10, "plain images, every file read"},
	TableKind{"zstd",
		  "Page cache of the same two images, both compressed with "
		  "zstd, every file read",
		  11, "images compressed with zstd, every file read"},
	TableKind{"mixed",
		  "Page cache of the same two images, the older plain and the "
		  "newer compressed, every file read",
		  12, "a plain and a compressed image, every file read"},
	TableKind{
		"start",
		"Page cache of the same two images, plain, when the package's "
		"program runs from both",
		13, "plain images, the program of each running"},
};

const TableKind &kind_of(const std::string &name)
{
	for (const TableKind &kind : kKinds)
		if (name == kind.name)
			return kind;
	throw_error(EINVAL, "table '" + name +
				    "': expected read, zstd, mixed or start");
}

/// What one guest has sent.
struct Guest {
	std::string kernel;
	std::vector<Record> records;

	[[nodiscard]] std::optional<Record> find(const std::string &name) const
	{
		for (const Record &record : records)
			if (record.value("event", "") == "bench" &&
			    record.value("name", "") == name)
				return record;
		return std::nullopt;
	}
};

std::optional<Guest> read_guest(const std::string &directory)
{
	Guest guest;

	if (!fs::exists(directory + "/records"))
		return std::nullopt;
	guest.records = read_records(directory + "/records");
	for (const Record &record : guest.records)
		if (record.value("event", "") == "hello")
			guest.kernel = record.value("kernel", "");
	return guest;
}

double percent_less(double whole, double part)
{
	return whole > 0 ? 100 * (whole - part) / whole : 0;
}

/// A table in the making.
class Maker {
      public:
	Maker(const MemoryBench &bench, const std::string &name)
	    : bench_(bench), kind_(kind_of(name))
	{
		for (const std::string &limit : bench.limits)
			add(Record::parse(read_text(limit)));
	}

	[[nodiscard]] Record table() const;

      private:
	struct Saved {
		double ours, limit;
		std::optional<double> mainline;
	};

	void add(const Record &limit);
	void check(const std::string &text, bool ok, const Record &value = {},
		   const Record &bound = {});
	void compare(const std::string &package, Record &values,
		     double limit_saved, std::optional<double> mainline_saved);
	void check_mounts(const std::string &package, const Record &ours);
	[[nodiscard]] std::string sentence() const;

	const MemoryBench &bench_;
	const TableKind &kind_;
	std::set<std::string> kernels_;
	Record images_ = Record::array();
	Record rows_ = Record::array();
	Record checks_ = Record::array();
	Record raw_ = Record::object();
	std::vector<Saved> saved_;
};

void Maker::check(const std::string &text, bool ok, const Record &value,
		  const Record &bound)
{
	Record made = {{"text", text}, {"ok", ok}};

	if (!value.is_null())
		made["value"] = value;
	if (!bound.is_null())
		made["limit"] = bound;
	checks_.push_back(made);
}

void Maker::check_mounts(const std::string &package, const Record &ours)
{
	const std::vector<std::string> lines = ours.at("mounts");

	check(package + ": /proc/mounts shows inode_share twice and no domain",
	      lines.size() == 2 &&
		      std::all_of(lines.begin(), lines.end(),
				  [](const std::string &line) {
					  return line.find("inode_share") !=
							 std::string::npos &&
						 line.find("domain") ==
							 std::string::npos;
				  }));
}

void Maker::compare(const std::string &package, Record &values,
		    double limit_saved, std::optional<double> mainline_saved)
{
	Saved saved{};

	// Of what the stock module takes, part is no file's content: it stays.
	saved.limit = limit_saved;
	saved.ours = percent_less(values["stock"].get<double>(),
				  values["ours"].get<double>());
	values["saved"] = saved.ours;
	saved.mainline = mainline_saved;
	if (mainline_saved)
		values["saved_mainline"] = *mainline_saved;
	values["saved_limit"] = saved.limit;
	saved_.push_back(saved);
	check(package + ": saves what whole-file sharing can, within " +
		      std::to_string(static_cast<int>(kTolerance)) + " points",
	      std::abs(saved.ours - saved.limit) <= kTolerance, saved.ours,
	      saved.limit);
}

void Maker::add(const Record &limit)
{
	const std::string package = limit.at("package");
	Record values = {{"stock", nullptr},
			 {"ours", nullptr},
			 {"mainline", nullptr},
			 {"limit", nullptr}};
	std::map<std::string, Record> found;
	// Each kernel keeps another share of a program's files: what mainline's
	// sharing saves is of what its own kernel takes without.
	std::optional<double> mainline_saved;
	std::string note;

	images_.push_back(package + " " +
			  limit.at("old_version").get<std::string>() + " and " +
			  limit.at("new_version").get<std::string>());
	for (const char *side : {"stock", "ours", "mainline"}) {
		const std::string directory =
			bench_.guests + "/" + package + "-" + side;
		const auto guest = read_guest(directory);

		if (!guest)
			continue;
		kernels_.insert(guest->kernel);
		if (const auto record = guest->find(kind_.name)) {
			found[side] = *record;
			raw_[package][side] = *record;
			values[side] =
				record->at("cached").get<double>() / kMegabyte;
			const auto plain =
				guest->find(std::string(kind_.name) + "-plain");
			if (plain) {
				raw_[package][std::string(side) + "-plain"] =
					*plain;
				mainline_saved =
					percent_less(plain->at("cached"),
						     record->at("cached"));
			}
			continue;
		}
		note += (note.empty() ? "" : "; ") + std::string(side) +
			": the guest measured nothing, see " + directory +
			"/console.log";
		// Mainline's failures are its own; they are in the table.
		if (side != std::string("mainline"))
			check(package + ": " + side + " could be measured",
			      false);
	}
	if (found.count("stock") > 0 && found.count("ours") > 0) {
		const bool whole = kind_.name != std::string("start");
		const Record &stock = found["stock"];
		const double all =
			whole ? limit.at("page_bytes") : stock.at("resident");
		const double unique = whole ? limit.at("unique_page_bytes")
					    : stock.at("unique");

		values["limit"] = unique / kMegabyte;
		compare(package, values, percent_less(all, unique),
			mainline_saved);
		check_mounts(package, found["ours"]);
		if (whole)
			check(package + ": all files of both images were read",
			      found["ours"].at("files") == limit.at("files") &&
				      found["ours"].at("bytes") ==
					      limit.at("bytes"));
	}
	rows_.push_back(
		{{"name", package}, {"values", values}, {"note", note}});
}

/// "1.0 to 2.0", or "1.0" where both look the same.
std::string span(double low, double high)
{
	const std::string from = digits(low, 1);
	const std::string to = digits(high, 1);

	return from == to ? from : from + " to " + to;
}

std::string Maker::sentence() const
{
	if (saved_.empty())
		return "Nothing was measured.";
	const auto by = [](auto member) {
		return [member](const Saved &a, const Saved &b) {
			return a.*member < b.*member;
		};
	};
	const auto [least, most] = std::minmax_element(
		saved_.begin(), saved_.end(), by(&Saved::ours));
	double furthest = 0;
	std::optional<double> low;
	std::optional<double> high;

	for (const Saved &saved : saved_) {
		furthest =
			std::max(furthest, std::abs(saved.ours - saved.limit));
		if (!saved.mainline)
			continue;
		low = std::min(low.value_or(*saved.mainline), *saved.mainline);
		high = std::max(high.value_or(*saved.mainline),
				*saved.mainline);
	}
	std::string text =
		"With inode_share, " + std::string(kind_.what) +
		", two images take " + span(least->ours, most->ours) +
		" % less page cache, at most " + digits(furthest, 1) +
		" points from what sharing whole files can save";
	if (low)
		text += "; mainline's own sharing saves " + span(*low, *high) +
			" %";
	return text + ".";
}

Record Maker::table() const
{
	Record columns = {bench_column("stock", "stock erofs", "MB", 1),
			  bench_column("ours", "inode_share", "MB", 1)};
	Record plotted = {"stock", "ours"};
	const bool mainline =
		std::any_of(rows_.begin(), rows_.end(), [](const Record &row) {
			return row.at("values").at("mainline").is_number();
		});

	if (mainline) {
		columns.push_back(bench_column("mainline", "mainline's sharing",
					       "MB", 1));
		plotted.push_back("mainline");
	}
	columns.push_back(bench_column("limit", "limit", "MB", 1));
	plotted.push_back("limit");
	columns.push_back(bench_column("saved", "saved", "%", 1));
	if (mainline)
		columns.push_back(bench_column("saved_mainline",
					       "mainline saves", "%", 1));
	columns.push_back(bench_column("saved_limit", "limit", "%", 1));

	Record rows = rows_;
	if (!mainline)
		for (Record &row : rows)
			row["values"].erase("mainline");
	return {{"name", std::string("memory-") + kind_.name},
		{"order", kind_.order},
		{"title", kind_.title},
		{"says", sentence()},
		{"kernel", kernels_},
		{"images", images_},
		{"qemu", bench_.qemu},
		{"command", bench_.command},
		{"columns", columns},
		{"rows", rows},
		{"plot",
		 {{"kind", "bars"},
		  {"columns", plotted},
		  {"unit", "MB"},
		  {"log", false}}},
		{"checks", checks_},
		{"raw", raw_}};
}

} // namespace

void write_memory_tables(const MemoryBench &bench)
{
	for (const std::string &name : bench.tables)
		write_bench_table(Maker(bench, name).table(), bench.out);
}

} // namespace erofs_share
