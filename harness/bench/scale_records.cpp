// SPDX-License-Identifier: GPL-2.0-only
// Reading the records of the scale benchmark.
#include "bench/scale_records.h"

#include "bench/bench_numbers.h"

#include <algorithm>
#include <iterator>

namespace erofs_share {

ScaleRecords::ScaleRecords(const ScaleBench &bench) : bench_(bench)
{
	for (const std::string &guest : bench.guests)
		for (const Record &record : read_records(guest + "/records")) {
			const std::string event = record.value("event", "");

			if (event == "hello")
				kernels_.insert(record.value("kernel", ""));
			if (event == "bench")
				records_.push_back(record);
		}
}

std::vector<Record> ScaleRecords::named(const std::string &name) const
{
	std::vector<Record> found;

	std::copy_if(records_.begin(), records_.end(),
		     std::back_inserter(found), [&](const Record &record) {
			     return record.value("name", "") == name;
		     });
	return found;
}

void ScaleRecords::write(Record table) const
{
	table["kernel"] = kernels_;
	table["qemu"] = bench_.qemu;
	table["command"] = bench_.command;
	write_bench_table(table, bench_.out);
}

} // namespace erofs_share
