// SPDX-License-Identifier: GPL-2.0-only
// Asking kmemleak over debugfs.
#include "machine/kmemleak.h"

#include "base/fd.h"

#include <chrono>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr const char *kFile = "/sys/kernel/debug/kmemleak";

/// Objects that are younger are not reported (MSECS_MIN_AGE).
constexpr std::chrono::seconds kOldEnough(6);

} // namespace

bool kmemleak_works()
{
	// The file is there but cannot be written once kmemleak gave up.
	return access(kFile, W_OK) == 0;
}

void kmemleak_clear()
{
	write_text(kFile, "scan");
	write_text(kFile, "clear");
}

std::string kmemleak_scan()
{
	// A scan reports nothing whose contents changed since the one before,
	// and takes what it has never seen for changed: the first one only
	// learns.
	write_text(kFile, "scan");
	std::this_thread::sleep_for(kOldEnough);
	write_text(kFile, "scan");
	return read_text(kFile);
}

} // namespace erofs_share
