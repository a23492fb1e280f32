// SPDX-License-Identifier: GPL-2.0-only
// One fs context of the kernel: fsopen(2) or fspick(2), the options that
// fsconfig(2) hands over one by one, and what the kernel says to them.
#pragma once

#include "base/fd.h"

#include <string>
#include <vector>

namespace erofs_share {

/// What a mount or remount call came back with.
struct MountOutcome {
	int error = 0; ///< errno, 0 on success
	/// The call that failed, such as "fsconfig domain_id".
	std::string call;
	/// Lines of the fs context log (fsopen and fspick only), kernel's own
	/// words behind a letter for the level: "e erofs: ...".
	std::vector<std::string> log;

	/// One line for a person: call, errno and log.
	[[nodiscard]] std::string text() const;
};

/// An fs context. Each step returns false when it fails, and finish() then says
/// which one and why.
class FsContext {
      public:
	/// A context for a new erofs mount.
	static FsContext open();
	/// A context that changes the superblock mounted at @target.
	static FsContext pick(const std::string &target);

	/// Hands over key=value; @value stays the caller's, who may wipe it.
	bool set_string(const std::string &key, const char *value);
	bool set_flag(const std::string &key);
	/// Hands over "key" or "key=value".
	bool set_option(const std::string &option);
	/// Makes or finds the superblock, as fsconfig(FSCONFIG_CMD_CREATE).
	bool create();
	/// Changes the superblock's options to those handed over.
	bool reconfigure();
	/// Makes a mount of the superblock with the MOUNT_ATTR_ flags
	/// @attributes. It is attached nowhere, and goes with its descriptor.
	/// Returns no descriptor when that fails.
	UniqueFd make_mount(unsigned int attributes);
	/// Attaches @tree, of make_mount(), to @target.
	bool attach(const UniqueFd &tree, const std::string &target);
	/// The same to the directory that is open in @target, with O_PATH.
	bool attach(const UniqueFd &tree, const UniqueFd &target);

	/// Forgets the step that failed, and returns the errno of it. The
	/// lines that the kernel logged until now go to @log.
	int forgive(std::vector<std::string> &log);
	/// The outcome so far, with the context's log taken out of it.
	MountOutcome finish();

      private:
	FsContext(int fd, const std::string &call);
	bool step(const std::string &call, int result);
	void read_log(std::vector<std::string> &log) const;

	UniqueFd fd_;
	MountOutcome outcome_;
};

} // namespace erofs_share
