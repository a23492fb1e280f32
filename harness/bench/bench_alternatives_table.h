// SPDX-License-Identifier: GPL-2.0-only
// The table of alternatives: made on the host from what guests measured.
#pragma once

#include "wire/record.h"

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

/// The page cache of all alternatives for several packages.
struct AlternativesMemoryRequest {
	/// Has alternatives-memory-PACKAGE/records of each package's guest.
	std::string guests;
	/// limit.json of each package's images, in the order of the rows.
	std::vector<std::string> limits;
	std::string qemu;
	std::string command;
};

/// The table "alternatives-memory". A measurement that is missing is an empty
/// cell; of EROFS, with sharing and without, it throws and names it.
Record make_alternatives_memory_table(const AlternativesMemoryRequest &request);

} // namespace erofs_share
