// SPDX-License-Identifier: GPL-2.0-only
// QEMU's control protocol (QMP) over a UNIX socket, on the host: as much of it
// as stopping a guest takes.
#pragma once

#include "base/fd.h"

#include <nlohmann/json.hpp>
#include <string>

namespace erofs_share {

/// A connection to one QEMU.
class Qmp {
      public:
	/// Connects to the socket @path and agrees on the protocol. Throws.
	explicit Qmp(const std::string &path);

	/// Stops the guest's CPUs; returns when they have stopped. Throws.
	void stop();
	/// Lets them run again. Throws.
	void resume();

      private:
	/// Runs @command and waits for its answer. Throws what QEMU says when
	/// it fails.
	void execute(const std::string &command);
	/// The next message of QEMU's, events included. Throws when it is gone.
	nlohmann::json receive();

	UniqueFd fd_;
	std::string path_;
	std::string pending_;
};

} // namespace erofs_share
