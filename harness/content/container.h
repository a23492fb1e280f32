// SPDX-License-Identifier: GPL-2.0-only
// A program of an image, run as a container runs it: on a writable overlay of
// the image, in namespaces of its own.
#pragma once

#include "base/fd.h"
#include "machine/mount.h"
#include "machine/overlay.h"

#include <string>
#include <sys/types.h>

namespace erofs_share {

/// A running container; killed, and its overlay unmounted, when it goes out of
/// scope.
class Container {
      public:
	/// Runs @script with the bash of the image mounted at @image, in its
	/// own mount, process, IPC and network namespaces, with a loopback
	/// device. What it writes goes to a tmpfs. Returns when the script
	/// prints the line "ready". Throws std::runtime_error with the last
	/// lines of what it printed when it ends before.
	Container(const std::string &image, const std::string &script);
	Container(const Container &) = delete;
	Container &operator=(const Container &) = delete;
	Container(Container &&) = delete;
	Container &operator=(Container &&) = delete;
	~Container();

      private:
	void start(const std::string &script, const UniqueFd &output);
	void wait_until_ready();
	void stop();

	TemporaryDirectory scratch_;
	Mount root_;
	pid_t pid_ = -1;
	UniqueFd output_;
	std::string said_;
};

} // namespace erofs_share
