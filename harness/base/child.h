// SPDX-License-Identifier: GPL-2.0-only
// Child processes of a test: a function in a process of its own, and a program
// of an image with what it printed.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace erofs_share {

/// A forked process; killed and reaped when it goes out of scope.
class Child {
      public:
	/// Runs @body in a new process, which ends with the value it returns,
	/// or with 127 when it throws. Other threads do not exist there: @body
	/// must not need them. Throws when there can be no new process.
	explicit Child(const std::function<int()> &body);
	Child(const Child &) = delete;
	Child &operator=(const Child &) = delete;
	Child(Child &&other) noexcept : pid_(std::exchange(other.pid_, -1))
	{
	}
	Child &operator=(Child &&) = delete;
	~Child();

	[[nodiscard]] pid_t pid() const
	{
		return pid_;
	}
	/// Waits for the end. Returns the exit status, or 128 plus the signal
	/// that ended it, as a shell does.
	int wait();

      private:
	pid_t pid_ = -1;
};

/// Runs @body in a new process and waits for it. Returns what @body returned,
/// or the message of what it threw: by convention "" when all was well; and
/// which signal ended the process, if one did.
std::string run_in_child(const std::function<std::string()> &body);

/// What a program came back with.
struct ProgramResult {
	int status = 0;	    ///< as Child::wait() has it; 127: could not start
	std::string output; ///< what it printed
};

/// Which of what a program prints is wanted.
enum class Capture {
	kOutput, ///< its standard output
	kAll,	 ///< and its standard error, as they come
	kNone,	 ///< none: it goes where ours goes
};

/// Runs @argv, whose first word is the program's path, with @root as its root
/// directory, and waits for its end. Throws when there can be no new process.
ProgramResult run_program(const std::string &root,
			  const std::vector<std::string> &argv,
			  Capture capture = Capture::kOutput);

} // namespace erofs_share
