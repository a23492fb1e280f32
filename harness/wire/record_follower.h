// SPDX-License-Identifier: GPL-2.0-only
// Reading a guest's records while the guest still writes them, on the host.
#pragma once

#include "base/fd.h"
#include "wire/record.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace erofs_share {

/// Follows the file "records" that scripts/guest/run-guest makes anew.
class RecordFollower {
      public:
	/// Follows @directory/records until the process @runner, which is
	/// run-guest, has ended. The file need not be there yet. Throws when
	/// there is no such directory or process.
	RecordFollower(const std::string &directory, pid_t runner);

	/// Waits for the next record. Nothing when the runner has ended and all
	/// was read. A file that starts anew, for another boot, is read anew.
	std::optional<Record> next();

      private:
	/// Reads what is new in the file. Returns whether there was anything.
	bool read_more();
	/// Waits until the file changes or the runner ends.
	void wait();

	std::string path_;
	UniqueFd notify_;
	UniqueFd runner_;
	std::string pending_;
	std::size_t position_ = 0;
	bool ended_ = false;
};

} // namespace erofs_share
