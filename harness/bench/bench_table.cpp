// SPDX-License-Identifier: GPL-2.0-only
// Reading measured tables, with an error that helps for each that is none.
#include "bench/bench_table.h"

#include "base/fd.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <set>
#include <sstream>
#include <stdexcept>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string &what)
{
	throw std::runtime_error(
		what +
		"; run the part of scripts/bench/bench that writes it again");
}

/// The member @key of @object, which @where names in an error.
const Record &member(const Record &object, const std::string &key,
		     const std::string &where)
{
	if (!object.is_object() || !object.contains(key))
		refuse(where + ": '" + key + "' is missing");
	return object.at(key);
}

std::string text(const Record &object, const std::string &key,
		 const std::string &where)
{
	const Record &value = member(object, key, where);

	if (!value.is_string())
		refuse(where + ": '" + key + "' must be a text");
	return value;
}

std::optional<double> number(const Record &value, const std::string &where)
{
	if (value.is_null())
		return std::nullopt;
	if (!value.is_number())
		refuse(where + " must be a number or null");
	return value.get<double>();
}

const Record &list(const Record &object, const std::string &key,
		   const std::string &where)
{
	const Record &value = member(object, key, where);

	if (!value.is_array())
		refuse(where + ": '" + key + "' must be a list");
	return value;
}

std::vector<std::string> texts(const Record &object, const std::string &key,
			       const std::string &where)
{
	std::vector<std::string> all;

	for (const Record &value : list(object, key, where)) {
		if (!value.is_string())
			refuse(std::string(where)
				       .append(": '")
				       .append(key)
				       .append("' must be a list of texts"));
		all.push_back(value);
	}
	return all;
}

BenchTable::Column column_of(const Record &record, const std::string &where)
{
	BenchTable::Column column;

	column.key = text(record, "key", where);
	column.title = text(record, "title", where);
	column.unit = text(record, "unit", where);
	column.digits = static_cast<int>(
		number(member(record, "digits", where),
		       where + ": 'digits' of column " + column.key)
			.value_or(0));
	return column;
}

bool has_column(const BenchTable &table, const std::string &key)
{
	return std::any_of(table.columns.begin(), table.columns.end(),
			   [&](const BenchTable::Column &column) {
				   return column.key == key;
			   });
}

BenchTable::Row row_of(const Record &record, const BenchTable &table,
		       const std::string &where)
{
	BenchTable::Row row;

	row.name = text(record, "name", where);
	const std::string here = where + ", row '" + row.name + "'";
	const Record &values = member(record, "values", here);
	if (!values.is_object())
		refuse(here + ": 'values' must be an object");
	for (const auto &[key, value] : values.items()) {
		const std::string what =
			std::string(here).append(": '").append(key).append("'");

		if (!has_column(table, key))
			refuse(what + " is no column");
		row.values[key] = number(value, what);
	}
	if (record.contains("note"))
		row.note = text(record, "note", here);
	return row;
}

BenchTable::Plot plot_of(const Record &record, const BenchTable &table,
			 const std::string &where)
{
	BenchTable::Plot plot;
	const std::string kind = text(record, "kind", where);

	if (kind != "bars" && kind != "lines")
		refuse(where + ": 'kind' is '" + kind +
		       "', not 'bars' or 'lines'");
	plot.lines = kind == "lines";
	plot.columns = texts(record, "columns", where);
	plot.unit = record.contains("unit") ? text(record, "unit", where) : "";
	plot.log = record.value("log", Record(false)) == Record(true);
	for (const std::string &key : plot.columns)
		if (!has_column(table, key))
			refuse(std::string(where)
				       .append(": '")
				       .append(key)
				       .append("' is no column"));
	return plot;
}

BenchTable::Check check_of(const Record &record, const std::string &where)
{
	BenchTable::Check check;

	check.text = text(record, "text", where);
	const Record &ok = member(record, "ok", where);
	if (!ok.is_boolean() && !ok.is_null())
		refuse(where + ": 'ok' must be true, false or null");
	if (ok.is_boolean())
		check.ok = ok.get<bool>();
	if (record.contains("value"))
		check.value = number(record.at("value"), where + ": 'value'");
	if (record.contains("limit"))
		check.limit = number(record.at("limit"), where + ": 'limit'");
	return check;
}

BenchTable table_of(const Record &record, const std::string &path)
{
	BenchTable table;

	table.name = text(record, "name", path);
	if (fs::path(path).stem() != table.name)
		refuse(path + ": its 'name' is '" + table.name + "'");
	table.title = text(record, "title", path);
	table.says = text(record, "says", path);
	table.order = number(member(record, "order", path), path + ": 'order'")
			      .value_or(0);
	table.kernel = texts(record, "kernel", path);
	table.images = texts(record, "images", path);
	table.qemu = text(record, "qemu", path);
	table.command = text(record, "command", path);
	for (const Record &column : list(record, "columns", path))
		table.columns.push_back(column_of(column, path + ", columns"));
	for (const Record &row : list(record, "rows", path))
		table.rows.push_back(row_of(row, table, path));
	if (table.columns.empty() || table.rows.empty())
		refuse(path + ": a table without rows or columns");
	if (record.contains("plot"))
		table.plot = plot_of(record.at("plot"), table, path + ", plot");
	if (record.contains("checks"))
		for (const Record &check : list(record, "checks", path))
			table.checks.push_back(
				check_of(check, path + ", checks"));
	return table;
}

BenchTable read_table(const std::string &path)
{
	Record record;

	try {
		record = Record::parse(read_text(path));
	} catch (const Record::exception &error) {
		refuse(path + ": no JSON: " + error.what());
	}
	return table_of(record, path);
}

std::string plain_number(double value)
{
	std::ostringstream out;

	out << std::setprecision(4) << value;
	return out.str();
}

std::string joined(const std::vector<std::string> &words)
{
	std::string all;

	for (const std::string &word : words)
		all += (all.empty() ? "" : "; ") + word;
	return all;
}

} // namespace

std::string BenchTable::Column::head() const
{
	return unit.empty() ? title : title + ", " + unit;
}

std::optional<double> BenchTable::Row::value(const Column &column) const
{
	const auto found = values.find(column.key);

	return found == values.end() ? std::nullopt : found->second;
}

std::string BenchTable::Check::sentence() const
{
	std::string said;

	if (value)
		said = plain_number(*value);
	if (limit)
		said += (said.empty() ? "limit " : ", limit ") +
			plain_number(*limit);
	return said.empty() ? text : text + " (" + said + ")";
}

std::size_t BenchTable::count(std::optional<bool> ok) const
{
	return static_cast<std::size_t>(std::count_if(
		checks.begin(), checks.end(),
		[&](const Check &check) { return check.ok == ok; }));
}

std::vector<std::string> BenchTable::provenance() const
{
	return {"kernel: " + joined(kernel), "images: " + joined(images),
		"QEMU: " + qemu, "command: " + command};
}

const BenchTable::Column &BenchTable::column(const std::string &key) const
{
	for (const Column &column : columns)
		if (column.key == key)
			return column;
	throw std::out_of_range("no column " + key);
}

std::string bench_cell(const BenchTable::Column &column,
		       std::optional<double> value)
{
	if (!value)
		return "-";
	std::ostringstream out;

	out << std::fixed << std::setprecision(column.digits) << *value;
	return out.str();
}

std::vector<BenchTable> read_bench_tables(const std::string &directory)
{
	std::set<std::string> paths;
	std::vector<BenchTable> tables;

	for (const auto &entry : fs::directory_iterator(directory))
		if (entry.path().extension() == ".json")
			paths.insert(entry.path().string());
	tables.reserve(paths.size());
	for (const std::string &path : paths)
		tables.push_back(read_table(path));
	if (tables.empty())
		throw std::runtime_error(
			directory +
			": no NAME.json; expected what "
			"scripts/bench/bench leaves in build/bench");
	std::stable_sort(tables.begin(), tables.end(),
			 [](const BenchTable &a, const BenchTable &b) {
				 return a.order < b.order;
			 });
	return tables;
}

} // namespace erofs_share
