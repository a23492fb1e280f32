// SPDX-License-Identifier: GPL-2.0-only
// What the guests of the scale benchmark have sent, and writing what becomes of
// it.
#pragma once

#include "bench/bench_scale_table.h"
#include "wire/record.h"

#include <set>
#include <string>
#include <vector>

namespace erofs_share {

/// All of a run.
class ScaleRecords {
      public:
	/// Reads them. Throws.
	explicit ScaleRecords(const ScaleBench &bench);

	/// Those that are called @name.
	[[nodiscard]] std::vector<Record> named(const std::string &name) const;

	/// Adds to @table what all tables of the run have, and writes it.
	/// Throws.
	void write(Record table) const;

      private:
	const ScaleBench &bench_;
	std::vector<Record> records_;
	std::set<std::string> kernels_;
};

/// Writes scale-mount, -open, -umount and -memory.json. Throws.
void write_mount_tables(const ScaleRecords &records);

} // namespace erofs_share
