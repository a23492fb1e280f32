// SPDX-License-Identifier: GPL-2.0-only
// The host's part of stress and soak: tables of what guests reported.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace erofs_share {

/// Tests as scripts count them.
struct TestCount {
	std::size_t passed = 0;
	std::size_t failed = 0;
};

/// Prints what the guests with the directories @guests did and found. A file
/// "complaint" in a directory says that the guest's kernel complained or died.
/// Returns a passed test for each round, and a failed one for each guest in
/// which anything failed. Throws when a directory has no records.
TestCount print_stress(std::ostream &out,
		       const std::vector<std::string> &guests);

/// Prints the readings of the guest with the directory @guest, one line each.
/// Returns a test for each reading, one for growth, and a failed one for a
/// guest that did not come to the end. Throws as print_stress() does.
TestCount print_soak(std::ostream &out, const std::string &guest);

} // namespace erofs_share
