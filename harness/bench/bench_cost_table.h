// SPDX-License-Identifier: GPL-2.0-only
// The table of what operations cost: made on the host from what guests counted.
#pragma once

#include "wire/record.h"

#include <map>
#include <string>
#include <vector>

namespace erofs_share {

/// What one guest counted.
struct CostSide {
	/// What ran there: "ours", "again" (ours, another boot), "stock" (the
	/// distribution's module, not sharing) or "mainline" (the kernel's own
	/// sharing).
	std::string kind;
	std::string line;   ///< kernel line, "6.12"
	std::string kernel; ///< uname -r
	Record raw;	    ///< all records "cost"
	/// The least of all rounds by operation, in instructions.
	std::map<std::string, double> plain;
	std::map<std::string, double> shared;

	/// Reads what the guest with @directory (run-guest's --dir) sent; @what
	/// is KIND:LINE. Throws, naming the file and what was expected.
	static CostSide read(const std::string &what,
			     const std::string &directory);

	/// Cost with sharing as a multiple of that without; throws
	/// std::out_of_range when the guest did not count @operation.
	[[nodiscard]] double ratio(const std::string &operation) const
	{
		return shared.at(operation) / plain.at(operation);
	}
};

/// Which table to make.
struct CostTableRequest {
	std::string qemu;
	std::string command;
	std::vector<std::string> images;
	std::vector<CostSide> sides; ///< the first is ours, on the main line
	bool slice = false;	     ///< only operations of a short run
};

/// The table "cost", as bench_table.h describes it. Throws.
Record make_cost_table(const CostTableRequest &request);

} // namespace erofs_share
