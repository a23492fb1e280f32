// SPDX-License-Identifier: GPL-2.0-only
// A piece of a test that runs in a process of its own.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace erofs_share {

/// A forked process that runs a function; killed, if it still runs, and waited
/// for when this goes out of scope. The caller must have no other thread that
/// could hold a lock the function needs.
class Child {
      public:
	/// Forks. @body returns a text, which becomes wait()'s: by convention
	/// "" when all was well. An exception's message is returned likewise.
	/// Throws when there can be no process.
	explicit Child(const std::function<std::string()> &body);
	Child(const Child &) = delete;
	Child &operator=(const Child &) = delete;
	Child(Child &&) = delete;
	Child &operator=(Child &&) = delete;
	~Child();

	[[nodiscard]] pid_t pid() const
	{
		return pid_;
	}
	/// Sends @signal; nothing if the process has been waited for.
	void signal(int signal) const;
	/// Waits for the end. Returns what the function returned, or which
	/// signal ended the process.
	std::string wait();

      private:
	pid_t pid_ = -1;
	int output_ = -1;
};

} // namespace erofs_share
