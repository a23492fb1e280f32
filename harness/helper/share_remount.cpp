// SPDX-License-Identifier: GPL-2.0-only
// Changing the options of a mount. All of it is done to one descriptor.
#include "helper/share_remount.h"

#include "base/held_signals.h"
#include "base/trusted_path.h"
#include "helper/domain_id_file.h"
#include "helper/mount_steps.h"
#include "helper/target_namespace.h"
#include "helper/verity.h"
#include "os/fs_context.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <optional>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// Gives the mount open in @target the attributes that are asked for. As with
/// mount(2), access times stay as they are unless the options name them.
void change_attributes(const MountRequest &request, const UniqueFd &target)
{
	constexpr unsigned int kAll =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW;
	mount_attr change{};

	change.attr_set = request.attributes;
	change.attr_clr = kAll & ~request.attributes;
	if (request.names_atime)
		change.attr_clr |= MOUNT_ATTR__ATIME;
	if (mount_setattr(target.get(), "", AT_EMPTY_PATH, &change,
			  sizeof(change)) != 0)
		fail(request, "mount_setattr: " + reason(errno));
}

/// The context of the mount whose root is open in @target. It is not looked up
/// again: "." is the descriptor's.
FsContext pick(const MountRequest &request, const UniqueFd &target)
{
	if (fchdir(target.get()) != 0)
		fail(request, reason(errno));
	return FsContext::pick(".");
}

/// Changes the options of the superblock of @target, whose domain is that of
/// @id.
MountOutcome reconfigure(const MountRequest &request, const UniqueFd &target,
			 const char *id, MountReport &report)
{
	FsContext context = pick(request, target);

	if (set_all(context, request, request.fs_options, id, report))
		context.reconfigure();
	return context.finish();
}

/// Opens the target of a remount, an erofs, so that all that follows is of one
/// mount, whoever renames what meanwhile.
UniqueFd open_target(const MountRequest &request)
{
	// The path may be where somebody lets us wait.
	const SignalsLetThrough may_end;
	UniqueFd target;
	struct statfs info {};

	try {
		// In another namespace nobody leads us out of that.
		target = request.target_namespace.empty()
				 ? open_directory_itself(request.target)
				 : UniqueFd(open(request.target.c_str(),
						 O_PATH | O_CLOEXEC));
	} catch (const UntrustedPath &error) {
		fail(request, error.what());
	}
	if (!target.valid() || fstatfs(target.get(), &info) != 0)
		fail(request, reason(errno));
	// Anything else would take our options for its own.
	if (info.f_type != EROFS_SUPER_MAGIC_V1)
		fail(request, "no erofs is mounted there");
	return target;
}

void try_remount(const MountRequest &request, const UniqueFd &target,
		 bool share, MountReport &report)
{
	auto log = follow_kernel_log();
	FsContext context = pick(request, target);

	try_options(context, request, share, report);
	const MountOutcome outcome = context.finish();
	if (outcome.error != 0)
		fail_as(request, "would not remount", outcome, log);
	report.done.push_back(request.target + " would be remounted");
}

} // namespace

void remount(const MountRequest &request, MountReport &report)
{
	struct stat status {};
	std::optional<DomainIdFile> id;

	if (!request.domain_id_file.empty())
		id.emplace(request.domain_id_file);
	const UniqueFd devices = open_block_devices();
	auto log = follow_kernel_log();
	TargetNamespace(request.target_namespace).enter();
	const UniqueFd target = open_target(request);
	if (request.fake) {
		try_remount(request, target, id.has_value(), report);
		return;
	}
	const bool verity = id && fstat(target.get(), &status) == 0 &&
			    is_verity_device(status.st_dev, devices);
	if (id)
		id->load();
	const char *const plain = id ? id->c_str() : nullptr;
	MountOutcome outcome =
		reconfigure(request, target,
			    verity ? id->derive(kVerityDomain) : plain, report);
	// Only the source is seen: there may be a device without verity.
	if (verity && outcome.error == EINVAL)
		outcome = reconfigure(request, target, plain, report);
	id.reset();
	if (outcome.error != 0)
		fail_as(request, "cannot remount", outcome, log);
	change_attributes(request, target);
	report.done.push_back(request.target + " remounted");
}

} // namespace erofs_share
