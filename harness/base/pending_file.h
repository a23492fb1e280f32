// SPDX-License-Identifier: GPL-2.0-only
// A file that is there when it is complete, and not before.
#pragma once

#include "base/child.h"
#include "base/fd.h"
#include "base/file_place.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace erofs_share {

/// A new file in a directory of its own beside the place where it is to be. A
/// process of its own removes both when this goes out of scope, or the program
/// ends in any way, also by a signal; what had its name by commit() stays. The
/// place may be in another user's directory: whatever he exchanges meanwhile,
/// nothing else is written, given away or removed.
class PendingFile {
      public:
	/// Makes it, for @path, where nothing may be. Only the caller's user
	/// may open it. No other thread may run. Throws std::system_error that
	/// names @path.
	explicit PendingFile(std::string path);
	PendingFile(const PendingFile &) = delete;
	PendingFile &operator=(const PendingFile &) = delete;
	~PendingFile();

	/// Open for reading and writing.
	[[nodiscard]] int fd() const
	{
		return fd_.get();
	}
	/// Its directory, where who makes the contents may have other files.
	[[nodiscard]] int directory() const
	{
		return directory_fd_.get();
	}
	/// Lends the file and its directory to the user @id. Throws.
	void lend(uid_t id);
	/// Takes both back. Throws, also where another file is in its place.
	void take_back();
	/// A name that opens it, in this process, and nothing else.
	[[nodiscard]] std::string path() const;
	/// Gives it the mode of a new file, writes it to the disk, and lets it
	/// have its name, all at once. Throws, also where something has that
	/// name by now; then the file goes.
	void commit();

      private:
	std::string target_;
	FilePlace place_;
	std::string directory_; ///< its name there
	UniqueFd directory_fd_;
	UniqueFd fd_;
	uid_t owner_ = 0; ///< as it was made
	gid_t group_ = 0;
	UniqueFd alive_; ///< closed by the end of the program
	std::optional<Child> remover_;
};

} // namespace erofs_share
