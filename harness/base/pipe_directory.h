// SPDX-License-Identifier: GPL-2.0-only
// Named pipes that only this process reads, for a program that writes to a file
// by its name: what it writes is on no disk.
#pragma once

#include "base/child.h"
#include "base/fd.h"

#include <optional>
#include <string>

namespace erofs_share {

/// A new directory in $TMPDIR or /var/tmp, which only its owner can enter, and
/// one in it with the pipes, which is root's if root made it: no program that
/// has become another user changes the modes of either. A process of its own
/// removes them when this goes out of scope or the program ends in any way,
/// also by a signal.
class PipeDirectory {
      public:
	/// Makes it, with @count pipes that the user @writer may write to. No
	/// other thread may run. Throws std::system_error that says what to
	/// set.
	PipeDirectory(unsigned int count, unsigned int writer);
	PipeDirectory(const PipeDirectory &) = delete;
	PipeDirectory &operator=(const PipeDirectory &) = delete;
	~PipeDirectory();

	/// Where the pipes are.
	[[nodiscard]] const std::string &path() const
	{
		return inner_;
	}
	/// Name of pipe @number there.
	[[nodiscard]] static std::string name(unsigned int number);
	/// Opens it for reading. What is left in it goes with the descriptor.
	[[nodiscard]] UniqueFd open(unsigned int number) const;
	/// Removes all, and throws if something is left.
	void remove();

      private:
	std::string outer_;
	std::string inner_;
	UniqueFd alive_; ///< closed by the end of this process
	std::optional<Child> remover_;
};

} // namespace erofs_share
