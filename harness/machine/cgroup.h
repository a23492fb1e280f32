// SPDX-License-Identifier: GPL-2.0-only
// Memory control groups (cgroup v2, as mounted on /sys/fs/cgroup).
#pragma once

#include <cstdint>
#include <string>

namespace erofs_share {

/// A control group with the memory controller, removed when it goes out of
/// scope; by then no process may be left in it.
class Cgroup {
      public:
	/// Makes a group below the root. Throws, for example when the kernel
	/// has no memory controller.
	Cgroup();
	Cgroup(const Cgroup &) = delete;
	Cgroup &operator=(const Cgroup &) = delete;
	Cgroup(Cgroup &&) = delete;
	Cgroup &operator=(Cgroup &&) = delete;
	~Cgroup();

	/// Moves the calling process into the group. Throws.
	void enter() const;
	/// Writes @value to the group's file @name, such as "memory.max".
	/// Returns the errno; 0 when the kernel took it.
	[[nodiscard]] int set(const std::string &name,
			      const std::string &value) const;
	/// Bytes that are charged to the group.
	[[nodiscard]] std::uint64_t charged() const;
	/// How often @event of memory.events has happened.
	[[nodiscard]] std::uint64_t events(const std::string &event) const;

      private:
	std::string path_;
};

} // namespace erofs_share
