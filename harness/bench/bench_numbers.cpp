// SPDX-License-Identifier: GPL-2.0-only
// Means, and pieces of tables.
#include "bench/bench_numbers.h"

#include "base/fd.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <iomanip>
#include <numeric>
#include <sstream>

namespace erofs_share {

namespace {

double mean(Numbers::const_iterator from, Numbers::const_iterator to)
{
	return from == to ? 0
			  : std::accumulate(from, to, 0.0) /
				    static_cast<double>(to - from);
}

/// A quarter of @numbers is no higher. Of one at least.
double low_quartile(Numbers numbers)
{
	const auto at = numbers.begin() +
			static_cast<std::ptrdiff_t>((numbers.size() - 1) / 4);

	std::nth_element(numbers.begin(), at, numbers.end());
	return *at;
}

} // namespace

double trimmed_mean(Numbers numbers)
{
	const auto cut = static_cast<std::ptrdiff_t>(numbers.size() / 20);

	std::sort(numbers.begin(), numbers.end());
	return mean(numbers.begin() + cut, numbers.end() - cut);
}

double median(Numbers numbers)
{
	if (numbers.empty())
		return 0;
	std::sort(numbers.begin(), numbers.end());
	const std::size_t half = numbers.size() / 2;
	return numbers.size() % 2 == 1
		       ? numbers[half]
		       : (numbers[half - 1] + numbers[half]) / 2;
}

double growth(const Numbers &numbers)
{
	const auto third = static_cast<std::ptrdiff_t>(numbers.size() / 3);

	return low_quartile({numbers.end() - third, numbers.end()}) /
	       low_quartile({numbers.begin(), numbers.begin() + third});
}

std::string digits(double value, int count)
{
	std::ostringstream out;

	out << std::fixed << std::setprecision(count) << value;
	return out.str();
}

Record bench_column(const std::string &key, const std::string &title,
		    const std::string &unit, int digits)
{
	return {{"key", key},
		{"title", title},
		{"unit", unit},
		{"digits", digits}};
}

void write_bench_table(const Record &table, const std::string &directory)
{
	write_file(directory + "/" + table.at("name").get<std::string>() +
			   ".json",
		   table.dump(2) + '\n');
}

Record bench_check(const std::string &text, double value, double limit, bool ok)
{
	return {{"text", text}, {"ok", ok}, {"value", value}, {"limit", limit}};
}

} // namespace erofs_share
