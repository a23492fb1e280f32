// SPDX-License-Identifier: GPL-2.0-only
// The table of what operations cost.
#include "bench/bench_cost_table.h"

#include "bench/bench_cost.h"
#include "bench/bench_numbers.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <stdexcept>

namespace erofs_share {

namespace {

/// By how much two boots may differ, and our module from the distribution's.
constexpr double kAgreement = 0.02;
/// Of the table among others.
constexpr int kOrder = 20;

Record check(const std::string &text, double value, double limit)
{
	return bench_check(text, value, limit, value <= limit);
}

/// The column that shows @side.
Record column_of(const CostSide &side)
{
	const std::string title =
		side.kind == "ours" ? "shared, " + side.line
		: side.kind == "stock"
			? "not shared, ours to stock, " + side.line
			: "mainline's own, " + side.line;

	return bench_column(side.kind + "-" + side.line, title, "x", 3);
}

/// Whether the sides of @request that were measured on @line with our module
/// say what a plain mount costs with it.
const CostSide *ours_on(const CostTableRequest &request,
			const std::string &line)
{
	for (const CostSide &side : request.sides)
		if (side.kind == "ours" && side.line == line)
			return &side;
	return nullptr;
}

/// Adds what it costs to come to a file's contents from nothing. Where the
/// fingerprint is read, at the lookup or at the open, makes no difference here.
void add_first_use(std::map<std::string, double> &values)
{
	if (values.contains("stat-cold") && values.contains("first-open-read"))
		values["first-use"] =
			values.at("stat-cold") + values.at("first-open-read");
}

/// Builds the rows and the checks of a table.
class Maker {
      public:
	explicit Maker(const CostTableRequest &request) : request_(request)
	{
		if (request.sides.empty() ||
		    request.sides.front().kind != "ours")
			throw std::runtime_error(
				"the first guest has to be one with our "
				"module: expected ours:LINE=DIR");
		columns_.push_back(bench_column("plain",
						"plain mount, " + first().line,
						"instructions", 0));
		for (const CostSide &side : request.sides)
			if (side.kind != "again")
				columns_.push_back(column_of(side));
	}

	Record make()
	{
		for (const CostOperation &operation : cost_operations())
			if (!request_.slice || operation.in_slice)
				add_row(operation);
		return {{"name", "cost"},
			{"order", kOrder},
			{"title", "Cost in instructions"},
			{"says", sentence()},
			{"kernel", kernels()},
			{"images", request_.images},
			{"qemu", request_.qemu},
			{"command", request_.command},
			{"columns", columns_},
			{"rows", rows_},
			{"plot", plot()},
			{"checks", checks_},
			{"raw", raw()}};
	}

      private:
	[[nodiscard]] const CostSide &first() const
	{
		return request_.sides.front();
	}

	void add_row(const CostOperation &operation)
	{
		const std::string key = operation.key;
		Record values = Record::object();

		if (!first().plain.contains(key))
			throw std::runtime_error(
				"no guest counted '" + key + "' on " +
				first().line +
				": expected the records of a whole run");
		values["plain"] = first().plain.at(key);
		for (const CostSide &side : request_.sides) {
			const auto value = value_of(side, operation);

			// A kernel may not know the compression.
			if (value && side.kind != "again")
				values[side.kind + "-" + side.line] = *value;
		}
		rows_.push_back({{"name", operation.name},
				 {"values", values},
				 {"note", operation.note}});
	}

	/// The ratio that @side has to show, checked where one is promised.
	std::optional<double> value_of(const CostSide &side,
				       const CostOperation &operation)
	{
		const std::string key = operation.key;

		if (!side.plain.contains(key))
			return std::nullopt;
		if (side.kind == "stock")
			return ours_to_stock(side, operation);
		if (side.kind == "mainline")
			return side.ratio(key);

		const CostSide *ours = ours_on(request_, side.line);
		const double ratio = side.ratio(key);
		if (side.kind == "again") {
			checks_.push_back(check(
				side.line + ", " + operation.name +
					": a second boot agrees within 2 %",
				std::abs(ratio / ours->ratio(key) - 1),
				kAgreement));
			return ratio;
		}
		if (operation.limit > 0) {
			checks_.push_back(check(
				side.line + ", " + operation.name + ": x" +
					digits(operation.limit, 2) + " or less",
				ratio, operation.limit));
			if (operation.limit <= 1 + kAgreement)
				worst_hot_ = std::max(worst_hot_, ratio);
		}
		return ratio;
	}

	/// A plain mount with our module as a multiple of one with the
	/// distribution's.
	double ours_to_stock(const CostSide &stock,
			     const CostOperation &operation)
	{
		const CostSide *ours = ours_on(request_, stock.line);
		if (ours == nullptr)
			throw std::runtime_error(
				"stock:" + stock.line +
				" has nothing to be compared with: expected "
				"ours:" +
				stock.line + "=DIR too");
		const double ratio = ours->plain.at(operation.key) /
				     stock.plain.at(operation.key);

		if (!operation.of_mounting)
			checks_.push_back(check(
				stock.line + ", " + operation.name +
					": without inode_share, x1.02 of the "
					"stock module or less",
				ratio, 1 + kAgreement));
		return ratio;
	}

	[[nodiscard]] std::string sentence() const
	{
		std::string text =
			"With sharing, no operation on files that are open "
			"or cached, no stat and no read of a whole file costs "
			"more than x" +
			digits(worst_hot_, 3) +
			" of what it costs on a plain mount";

		text += "; the first look at a file, with its first open and "
			"read, costs x" +
			digits(first().ratio("first-use"), 2);
		for (const CostSide &side : request_.sides)
			if (side.kind == "mainline")
				text += " (mainline's own sharing: x" +
					digits(side.ratio("first-use"), 2) +
					", and x" +
					digits(side.ratio("open-close"), 2) +
					" for each open+close)";
		return text + ".";
	}

	[[nodiscard]] Record kernels() const
	{
		std::set<std::string> all;

		for (const CostSide &side : request_.sides)
			all.insert(side.kernel);
		return all;
	}

	[[nodiscard]] Record plot() const
	{
		Record shown = Record::array();

		for (const CostSide &side : request_.sides)
			if (side.kind == "ours" || side.kind == "mainline")
				shown.push_back(side.kind + "-" + side.line);
		return {{"kind", "bars"},
			{"columns", shown},
			{"unit", "x"},
			{"log", false}};
	}

	[[nodiscard]] Record raw() const
	{
		Record all = Record::object();

		for (const CostSide &side : request_.sides)
			all[side.kind + "-" + side.line] = side.raw;
		return all;
	}

	const CostTableRequest &request_;
	Record columns_ = Record::array();
	Record rows_ = Record::array();
	Record checks_ = Record::array();
	double worst_hot_ = 0;
};

} // namespace

CostSide CostSide::read(const std::string &what, const std::string &directory)
{
	const std::set<std::string> kKinds = {"ours", "again", "stock",
					      "mainline"};
	const std::string file = directory + "/records";
	const std::size_t colon = what.find(':');
	CostSide side;

	side.kind = what.substr(0, colon);
	if (colon == std::string::npos || !kKinds.contains(side.kind))
		throw std::runtime_error(
			"'" + what +
			"': expected ours:LINE, again:LINE, stock:LINE or "
			"mainline:LINE");
	side.line = what.substr(colon + 1);
	side.raw = Record::array();
	for (const Record &record : read_records(file)) {
		if (record.at("event") == "hello")
			side.kernel = record.at("kernel");
		if (record.at("event") != "cost")
			continue;
		const bool shared = record.at("mode") == "shared";
		auto &values = shared ? side.shared : side.plain;
		const std::string operation = record.at("operation");
		const double value = record.at("instructions");
		const auto [place, is_new] = values.emplace(operation, value);

		place->second = std::min(place->second, value);
		side.raw.push_back(record);
	}
	add_first_use(side.plain);
	add_first_use(side.shared);
	if (side.plain.empty() ||
	    (side.kind != "stock" && side.shared.size() != side.plain.size()))
		throw std::runtime_error(
			file + ": the guest did not count everything; expected "
			       "records \"cost\" of plain and shared mounts");
	return side;
}

Record make_cost_table(const CostTableRequest &request)
{
	return Maker(request).make();
}

} // namespace erofs_share
