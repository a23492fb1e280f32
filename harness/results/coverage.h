// SPDX-License-Identifier: GPL-2.0-only
// Which lines of our own files a guest ran: gcov's counters, from the guest's
// debugfs to files on the host.
#pragma once

#include "wire/record.h"

#include <string>

namespace erofs_share {

/// In a guest: sends each counter file that the kernel has as a record
/// "coverage": file (its name), counters (the bytes in base 16). Sends nothing
/// on a kernel that does not count. Throws.
void send_coverage(const RecordWriter &records);

/// On the host: writes the counter files that the guests of one run sent as
/// @out/guest-N/NAME.gcda. @run is as for guest_directories(). Returns how many
/// guests sent some. Throws.
std::size_t write_coverage(const std::string &run, const std::string &out);

} // namespace erofs_share
