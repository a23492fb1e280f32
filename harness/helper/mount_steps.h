// SPDX-License-Identifier: GPL-2.0-only
// What a mount and a remount of the helper have in common: the options go to an
// fs context, and what the kernel refuses becomes a failure that says why.
#pragma once

#include "base/proc.h"
#include "helper/mount_failure.h"
#include "helper/mount_request.h"
#include "helper/share_mount.h"
#include "os/fs_context.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace erofs_share {

/// What the id of the domain that verity devices share in is derived from, with
/// the id in the file. Changing it parts new mounts from those that there are.
inline constexpr std::string_view kVerityDomain =
	"erofs-share dm-verity domain v1";

/// The words for errno @error.
std::string reason(int error);

/// @text as messages about @request have it: behind the directory, as in
/// mount(8)'s.
std::string about(const MountRequest &request, const std::string &text);

/// Throws MountFailure that says @text about @request.
[[noreturn]] void fail(const MountRequest &request, const std::string &text,
		       MountStatus status = MountStatus::kFailed);

/// The kernel log from now on; nothing where it cannot be read.
std::optional<KernelLog> follow_kernel_log();

/// Throws MountFailure with what the kernel said to @attempt, by the context or
/// in @log, and what it means.
[[noreturn]] void fail_as(const MountRequest &request,
			  const std::string &attempt,
			  const MountOutcome &outcome,
			  std::optional<KernelLog> &log);

/// Hands over all that a mount or remount of @request says: @options, and
/// sharing if there is an @id. With -s, options that the kernel does not know
/// are left out, which @report says. Returns whether all went well.
bool set_all(FsContext &context, const MountRequest &request,
	     const std::vector<std::string> &options, const char *id,
	     MountReport &report);

/// For -f: lets the kernel look at each of the options, without the id, which
/// was looked at already, and without a mount.
void try_options(FsContext &context, const MountRequest &request, bool share,
		 MountReport &report);

} // namespace erofs_share
