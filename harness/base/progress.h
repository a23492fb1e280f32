// SPDX-License-Identifier: GPL-2.0-only
// A progress bar on standard error, where that is a terminal.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace erofs_share {

/// How far a long work has come, in bytes. Any thread may add().
class Progress {
      public:
	/// @what is shown in front of the bar. Shows nothing where standard
	/// error is no terminal.
	Progress(std::string what, std::uint64_t total);
	Progress(const Progress &) = delete;
	Progress &operator=(const Progress &) = delete;
	/// Clears the bar.
	~Progress();

	/// @bytes more are done.
	void add(std::uint64_t bytes);

      private:
	void draw(std::uint64_t done);

	std::string what_;
	std::uint64_t total_;
	bool shown_;
	std::atomic<std::uint64_t> done_ = 0;
	std::mutex drawing_;
	std::uint64_t drawn_ = UINT64_MAX; ///< in 1/1000
};

} // namespace erofs_share
