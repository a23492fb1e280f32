// SPDX-License-Identifier: GPL-2.0-only
// What operations on files of an erofs mount cost in instructions, without and
// with page cache sharing: the guest's part. bench_cost_table.h makes the
// table.
#pragma once

#include "content/content.h"
#include "wire/record.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace erofs_share {

/// An operation that is measured, and what it may cost.
struct CostOperation {
	/// In records; "first-use" is added up from two others.
	const char *key;
	const char *name; ///< for people
	/// The most it may cost with sharing, as a multiple of what it costs on
	/// a plain mount; 0: no limit is promised.
	double limit;
	/// Whether a short run measures it too.
	bool in_slice;
	/// Whether what it costs on a plain mount may differ between our module
	/// and the distribution's: mounting has to look at two more options.
	bool of_mounting;
	const char *note; ///< what is to know of it, or ""
};

/// All of them, in the order of the table.
const std::vector<CostOperation> &cost_operations();

/// The tree of the images that this is measured on.
const Tree &cost_tree();

/// What reading costs where an image of cost_tree() is mounted, in
/// instructions.
struct ReadCosts {
	double open_read_close; ///< opening, reading 4 KiB in memory, closing
	double cold_read;	///< reading a MiB in order, from the image
};

/// Counts that of the tree in @root. Throws, also when the guest's clock does
/// not count instructions.
ReadCosts measure_reads(const std::string &root);

/// How the guest measures.
struct CostPlan {
	/// Serial of a disk with the uncompressed image of cost_tree().
	std::string plain_disk;
	/// Serial of one whose files all have a security.selinux as well.
	std::string labels_disk;
	/// Of the compressed ones, by the key of the cold read that they are
	/// for.
	std::map<std::string, std::string> compressed;
	int rounds = 3;
	bool sharing = true; ///< false: plain mounts only
	bool slice = false;  ///< only the operations of a short run
};

/// Measures @plan.rounds times, plain and sharing mounts in turn, and sends a
/// record "cost" for each value: operation, mode ("plain", "shared"), round,
/// instructions (for one call, one file or one MiB). Throws.
void measure_costs(const CostPlan &plan, const RecordWriter &records);

} // namespace erofs_share
