// SPDX-License-Identifier: GPL-2.0-only
// The memory benchmark's tables, from what its guests have sent.
#pragma once

#include <string>
#include <vector>

namespace erofs_share {

/// What all tables of a run have in common, and where its guests are.
struct MemoryBench {
	/// Has PACKAGE-SIDE/records for each package and side ("stock", "ours",
	/// "mainline"; not each side must have run), of run-guest.
	std::string guests;
	std::string out; ///< where NAME.json goes
	std::string qemu;
	std::string command;
	/// limit.json of each package's images, in the order of the rows.
	std::vector<std::string> limits;
	/// "read", "zstd", "mixed" and "start": which tables to write.
	std::vector<std::string> tables;
};

/// Writes memory-TABLE.json for each table. A measurement that is missing is an
/// empty cell with a note, and a check that fails. Throws.
void write_memory_tables(const MemoryBench &bench);

} // namespace erofs_share
