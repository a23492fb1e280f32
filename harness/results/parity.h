// SPDX-License-Identifier: GPL-2.0-only
// Whether two runs let users see the same: outcomes of tests, and what those
// observed on the way (properties named "observed_...").
#pragma once

#include "results/report.h"

#include <ostream>

namespace erofs_share {

/// How often two sides were compared, and how often they differed.
struct ParityCount {
	std::size_t equal = 0;
	std::size_t different = 0;
	std::size_t observations = 0; ///< values that were compared
};

/// Compares every test that ran, and was not skipped, in @stock with the same
/// test in @ours, and prints each difference with both values. What did not
/// run in @stock needs sharing and is left out, as is a test with the property
/// "parity" of value "none"; what else ran there and not in @ours is a
/// difference.
ParityCount print_parity(const Report &stock, const Report &ours,
			 std::ostream &out);

/// Compares the variants "plain..." and "shared..." of each test in @report
/// and prints what differs with sharing on.
ParityCount print_modes(const Report &report, std::ostream &out);

} // namespace erofs_share
