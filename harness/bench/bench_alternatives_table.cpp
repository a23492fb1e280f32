// SPDX-License-Identifier: GPL-2.0-only
// The table of alternatives.
#include "bench/bench_alternatives_table.h"

#include "base/fd.h"
#include "bench/bench_alternatives.h"
#include "bench/bench_numbers.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace erofs_share {

namespace {

constexpr double kMegabyte = 1e6;

/// What guests measured, by event and alternative.
class Measured {
      public:
	explicit Measured(const AlternativesRequest &request)
	{
		std::set<std::string> kernels;

		for (const std::string &run : {request.memory, request.cost})
			for (const Record &record :
			     read_records(run + "/records")) {
				if (record.at("event") == "hello")
					kernels.insert(record.at("kernel"));
				if (!record.contains("alternative"))
					continue;
				raw_.push_back(record);
				const std::string event = record.at("event");
				const std::string key =
					record.at("alternative");
				values_[event][key] = record;
			}
		kernels_ = kernels;
	}

	/// @field of what was measured for @key; throws when nothing was.
	[[nodiscard]] double value(const std::string &event,
				   const std::string &key,
				   const std::string &field) const
	{
		const auto all = values_.find(event);

		if (all == values_.end() || !all->second.contains(key))
			throw std::runtime_error("no guest sent '" + event +
						 "' of '" + key + "'");
		return all->second.at(key).at(field);
	}
	[[nodiscard]] const Record &raw() const
	{
		return raw_;
	}
	[[nodiscard]] const Record &kernels() const
	{
		return kernels_;
	}

      private:
	std::map<std::string, std::map<std::string, Record>> values_;
	Record raw_ = Record::array();
	Record kernels_;
};

Record at_most(const std::string &text, double value, double limit)
{
	return bench_check(text, value, limit, value <= limit);
}

double megabytes(const Measured &measured, const std::string &key,
		 const std::string &field)
{
	return measured.value("alternative-memory", key, field) / kMegabyte;
}

Record row_of(const AlternativesRequest &request, const Measured &measured,
	      const Alternative &alternative)
{
	const std::string key = alternative.key;
	Record values = Record::object();

	if (request.missing.contains(key))
		return {{"name", alternative.name},
			{"values", values},
			{"note", request.missing.at(key)}};
	if (!request.sizes.contains(key))
		throw std::runtime_error("no size of the images of '" + key +
					 "': expected --size " + key +
					 "=BYTES");
	for (const char *field : {"cached", "buffers", "slab"})
		values[field] = megabytes(measured, key, field);
	values["size"] = static_cast<double>(request.sizes.at(key)) / kMegabyte;
	for (const char *field : {"open_read_close", "cold_read"})
		values[field] = measured.value("alternative-cost", key, field);
	return {{"name", alternative.name},
		{"values", values},
		{"note", alternative.note}};
}

/// Who has the least in @column of @rows, how much, and how many come close.
std::string least(const Record &rows, const Record &column)
{
	constexpr double kClose = 1.01;
	const std::string key = column.at("key");
	const Record *best = nullptr;

	for (const Record &row : rows)
		if (row.at("values").contains(key) &&
		    (best == nullptr ||
		     row.at("values").at(key) < best->at("values").at(key)))
			best = &row;
	if (best == nullptr)
		throw std::runtime_error("nothing was measured of '" + key +
					 "'");
	const double value = best->at("values").at(key);
	const auto close =
		std::count_if(rows.begin(), rows.end(), [&](const Record &row) {
			return row.at("values").contains(key) &&
			       row.at("values").at(key) <= value * kClose;
		});
	std::string text = best->at("name").get<std::string>() + " (" +
			   digits(value, 0) + " " +
			   column.at("unit").get<std::string>();

	if (close > 1)
		text += ", with " + std::to_string(close - 1) +
			" more within 1 %";
	return text + ")";
}

/// A sentence that names who has the least of what.
std::string sentence(const Record &columns, const Record &rows,
		     const Measured &measured)
{
	std::string text = "inode_share takes " +
			   digits(megabytes(measured, "share", "cached"), 0) +
			   " MB of page cache where EROFS without it takes " +
			   digits(megabytes(measured, "erofs", "cached"), 0) +
			   ". The least";
	std::string separator = ": ";

	for (const Record &column : columns) {
		const std::string key = column.at("key");

		if (key == "buffers" || key == "slab")
			continue;
		text += separator + column.at("title").get<std::string>() +
			", " + least(rows, column);
		separator = "; ";
	}
	return text + ".";
}

Record checks_of(const Measured &measured)
{
	constexpr double kNothing = 1.02;
	Record checks = Record::array();

	for (const auto &[ours, plain] :
	     {std::pair{"share", "erofs"}, {"share-lz4", "erofs-lz4"}}) {
		const std::string name = find_alternative(ours).name;

		checks.push_back(
			at_most(name + ": less page cache than without, MB",
				megabytes(measured, ours, "cached"),
				megabytes(measured, plain, "cached") * 0.98));
		checks.push_back(at_most(
			name + ": open+read+close, x1.02 of without or less",
			measured.value("alternative-cost", ours,
				       "open_read_close") /
				measured.value("alternative-cost", plain,
					       "open_read_close"),
			kNothing));
		checks.push_back(at_most(
			name + ": cold read, x1.02 of without or less",
			measured.value("alternative-cost", ours, "cold_read") /
				measured.value("alternative-cost", plain,
					       "cold_read"),
			kNothing));
	}
	return checks;
}

} // namespace

Record make_alternatives_table(const AlternativesRequest &request)
{
	constexpr int kOrder = 30;
	const Measured measured(request);
	Record rows = Record::array();

	for (const Alternative &alternative : alternatives())
		rows.push_back(row_of(request, measured, alternative));
	const Record columns = {
		bench_column("cached", "page cache", "MB", 1),
		bench_column("buffers", "page cache of block devices", "MB", 1),
		bench_column("slab", "slab", "MB", 1),
		bench_column("size", "images on disk", "MB", 1),
		bench_column("open_read_close", "open+read 4 KiB+close",
			     "instructions", 0),
		bench_column("cold_read", "cold read of a MiB", "instructions",
			     0)};

	return {{"name", "alternatives"},
		{"order", kOrder},
		{"title", "Alternatives, side by side"},
		{"says", sentence(columns, rows, measured)},
		{"kernel", measured.kernels()},
		{"images", request.images},
		{"qemu", request.qemu},
		{"command", request.command},
		{"columns", columns},
		{"rows", rows},
		{"plot",
		 {{"kind", "bars"},
		  {"columns", {"cached", "size"}},
		  {"unit", "MB"},
		  {"log", false}}},
		{"checks", checks_of(measured)},
		{"raw", measured.raw()}};
}

namespace {

/// What alternatives take of the page cache, by their key, in MB.
using Cached = std::map<std::string, double>;

/// Reads what a guest measured, and adds its kernel to @kernels.
Cached read_cached(const std::string &directory, std::set<std::string> &kernels)
{
	Cached cached;

	for (const Record &record : read_records(directory + "/records")) {
		if (record.at("event") == "hello")
			kernels.insert(record.at("kernel"));
		if (record.at("event") == "alternative-memory")
			cached[record.at("alternative")] =
				record.at("cached").get<double>() / kMegabyte;
	}
	for (const char *key : {"erofs", "share", "erofs-lz4", "share-lz4"})
		if (cached.count(key) == 0)
			throw std::runtime_error(directory +
						 ": no guest sent "
						 "'alternative-memory' of '" +
						 key + "'");
	return cached;
}

/// "A to B %": how much less the alternative @key takes than EROFS without
/// sharing does; negative where it takes more.
std::string saved_by(const std::string &key, const std::vector<Cached> &all)
{
	double least = 100;
	double most = -100;

	for (const Cached &cached : all) {
		if (cached.count(key) == 0)
			continue;
		const double saved =
			100 * (1 - cached.at(key) / cached.at("erofs"));

		least = std::min(least, saved);
		most = std::max(most, saved);
	}
	return digits(least, 1) + " to " + digits(most, 1) + " %";
}

} // namespace

Record make_alternatives_memory_table(const AlternativesMemoryRequest &request)
{
	constexpr int kOrder = 31;
	constexpr double kLess = 0.98;
	std::set<std::string> kernels;
	std::vector<Cached> all;
	Record rows = Record::array();
	Record checks = Record::array();
	Record images = Record::array();
	Record columns = Record::array();

	for (const std::string &limit : request.limits) {
		const Record about = Record::parse(read_text(limit));
		const std::string package = about.at("package");
		const Cached cached = read_cached(
			request.guests + "/alternatives-memory-" + package,
			kernels);

		all.push_back(cached);
		rows.push_back(
			{{"name", package}, {"values", cached}, {"note", ""}});
		images.push_back(package + " " +
				 about.at("old_version").get<std::string>() +
				 " and " +
				 about.at("new_version").get<std::string>());
		for (const auto &[ours, plain] :
		     {std::pair{"share", "erofs"}, {"share-lz4", "erofs-lz4"}})
			checks.push_back(at_most(
				package + ": " + find_alternative(ours).name +
					": less page cache than without, MB",
				cached.at(ours), cached.at(plain) * kLess));
	}
	for (const Alternative &alternative : alternatives())
		columns.push_back(bench_column(alternative.key,
					       alternative.name, "MB", 1));
	return {{"name", "alternatives-memory"},
		{"order", kOrder},
		{"title", "Alternatives: page cache of both images of each "
			  "package, every file read"},
		{"says",
		 "Less page cache than plain EROFS takes: " +
			 saved_by("share", all) + " with inode_share, " +
			 saved_by("overlay", all) +
			 " where both images are overlays of one lower "
			 "layer, " +
			 saved_by("squashfs", all) + " with squashfs, " +
			 saved_by("ext4", all) + " with ext4."},
		{"kernel", kernels},
		{"images", images},
		{"qemu", request.qemu},
		{"command", request.command},
		{"columns", columns},
		{"rows", rows},
		{"plot",
		 {{"kind", "bars"},
		  {"columns",
		   {"erofs", "share", "squashfs", "ext4", "overlay"}},
		  {"unit", "MB"},
		  {"log", false}}},
		{"checks", checks}};
}

} // namespace erofs_share
