// SPDX-License-Identifier: GPL-2.0-only
// How a stress run holds its threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace erofs_share {

/// Lets threads act, and stops all of them between two actions.
class StressGate {
      public:
	/// For a thread: waits while the gate is shut. Returns false at the
	/// end.
	bool enter()
	{
		std::unique_lock lock(mutex_);

		changed_.wait(lock, [&] { return open_ || end_; });
		if (end_)
			return false;
		inside_++;
		return true;
	}
	void leave()
	{
		const std::scoped_lock lock(mutex_);

		inside_--;
		changed_.notify_all();
	}
	void open()
	{
		const std::scoped_lock lock(mutex_);

		open_ = true;
		changed_.notify_all();
	}
	/// Returns whether all threads are outside within @time.
	bool shut(std::chrono::seconds time)
	{
		std::unique_lock lock(mutex_);

		open_ = false;
		return changed_.wait_for(lock, time,
					 [&] { return inside_ == 0; });
	}
	void end()
	{
		const std::scoped_lock lock(mutex_);

		end_ = true;
		changed_.notify_all();
	}

      private:
	std::mutex mutex_;
	std::condition_variable changed_;
	bool open_ = false;
	bool end_ = false;
	unsigned int inside_ = 0;
};

} // namespace erofs_share
