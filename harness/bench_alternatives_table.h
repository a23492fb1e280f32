// SPDX-License-Identifier: GPL-2.0-only
// The table of alternatives: made on the host from what guests measured.
#pragma once

#include "record.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace erofs_share {

/// Which table to make.
struct AlternativesRequest {
	std::string memory; ///< run-guest's --dir with alternative-memory
	std::string cost;   ///< the same with alternative-cost
	/// Bytes of both images on disk, by alternative.
	std::map<std::string, std::uint64_t> sizes;
	/// Why an alternative could not be measured, by alternative.
	std::map<std::string, std::string> missing;
	std::vector<std::string> images;
	std::string qemu;
	std::string command;
};

/// The table "alternatives", in the format that the tables of "make bench"
/// have. Throws, naming what no guest measured.
Record make_alternatives_table(const AlternativesRequest &request);

} // namespace erofs_share
