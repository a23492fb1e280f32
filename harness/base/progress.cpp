// SPDX-License-Identifier: GPL-2.0-only
// A progress bar on standard error.
#include "base/progress.h"

#include "base/text_table.h"

#include <algorithm>
#include <iostream>
#include <unistd.h>

namespace erofs_share {

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total),
      shown_(total > 0 && isatty(STDERR_FILENO) == 1)
{
	if (shown_)
		draw(0);
}

Progress::~Progress()
{
	if (shown_)
		std::cerr << "\r\033[K" << std::flush;
}

void Progress::add(std::uint64_t bytes)
{
	const std::uint64_t done = done_ += bytes;

	if (shown_)
		draw(done);
}

void Progress::draw(std::uint64_t done)
{
	constexpr std::uint64_t kCells = 30;
	const std::uint64_t part = std::min(done, total_) * 1000 / total_;
	const std::unique_lock lock(drawing_, std::try_to_lock);

	// Somebody else draws: the next step will show.
	if (!lock || part == drawn_)
		return;
	drawn_ = part;
	const std::uint64_t cells = part * kCells / 1000;
	std::cerr << '\r' << what_ << " [" << std::string(cells, '#')
		  << std::string(kCells - cells, '.') << "] "
		  << human_bytes(done) << " of " << human_bytes(total_)
		  << "\033[K" << std::flush;
}

} // namespace erofs_share
