// SPDX-License-Identifier: GPL-2.0-only
// Mounting and remounting with page cache sharing. Everything goes to the
// kernel by fsconfig(2), and the domain id straight from its locked page.
#include "share_mount.h"

#include "domain_id_file.h"
#include "error.h"
#include "fs_context.h"
#include "loop_device.h"
#include "mount_failure.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <libmount.h>
#include <linux/magic.h>
#include <memory>
#include <optional>
#include <sched.h>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace erofs_share {

namespace {

std::string reason(int error)
{
	return std::generic_category().message(error);
}

/// @line of an fs context log without its level.
std::string words_of(const std::string &line)
{
	return line.size() > 2 && line[1] == ' ' ? line.substr(2) : line;
}

bool is_unknown_parameter(const std::string &line)
{
	return line.find("Unknown parameter") != std::string::npos;
}

bool has_unknown_parameter(const std::vector<std::string> &log)
{
	return std::any_of(log.begin(), log.end(), is_unknown_parameter);
}

/// How messages about @request begin: with the directory, as mount(8)'s do.
std::string about(const MountRequest &request, const std::string &text)
{
	return request.target + ": " + text;
}

[[noreturn]] void fail(const MountRequest &request, const std::string &text,
		       MountStatus status = MountStatus::kFailed)
{
	throw MountFailure(status, about(request, text));
}

/// What to do about @outcome, where the errno alone does not say it.
std::string hint(const MountOutcome &outcome)
{
	const bool silent = outcome.log.empty();

	if (outcome.call == "fsopen erofs" && outcome.error == ENODEV)
		return "; this kernel has no erofs, or its module is not "
		       "installed";
	if (outcome.call == "fsconfig create" && silent &&
	    (outcome.error == EINVAL || outcome.error == EUCLEAN))
		return "; is it an EROFS image? dmesg(1) may say more";
	return "";
}

/// Fails with what the kernel said.
[[noreturn]] void fail_as(const MountRequest &request,
			  const std::string &attempt,
			  const MountOutcome &outcome)
{
	std::string text;

	if (outcome.call == "fsconfig inode_share" &&
	    has_unknown_parameter(outcome.log))
		fail(request,
		     "the erofs module that is loaded knows no inode_share: it "
		     "is the distribution's own. Unmount all of erofs, unload "
		     "it, and load the one that shares (see \"Installing on a "
		     "host\" in inode_share.rst)");
	for (const std::string &line : outcome.log)
		text += words_of(line) + "\n" + about(request, "");
	text += attempt + ": " + reason(outcome.error) + hint(outcome);
	fail(request, text,
	     outcome.error == EPERM ? MountStatus::kUsage
				    : MountStatus::kFailed);
}

/// Hands the options over: sharing where there is an @id, then @request's own.
/// With -s, those that the kernel does not know are left out.
bool set_options(FsContext &context, const MountRequest &request,
		 const std::optional<DomainIdFile> &id, MountReport &report)
{
	if (!context.set_flag("ro"))
		return false;
	if (id && !context.set_flag("inode_share"))
		return false;
	for (const std::string &option : request.fs_options) {
		std::vector<std::string> log;

		if (context.set_option(option))
			continue;
		if (!request.sloppy)
			return false;
		// The kernel tells by its words only that it is the name.
		const int error = context.forgive(log);
		if (!has_unknown_parameter(log))
			fail(request,
			     (log.empty() ? option + ": " + reason(error)
					  : words_of(log.back())));
		report.warnings.push_back(about(
			request, words_of(log.back()) + ", left out (-s)"));
	}
	return !id || context.set_string("domain_id", id->c_str());
}

/// Goes to the mount namespace that the target is in.
void enter_namespace(const std::string &path)
{
	const UniqueFd space = open_file(path, O_RDONLY);

	if (setns(space.get(), CLONE_NEWNS) != 0)
		throw_errno("setns " + path);
}

/// Mounts @source, a block device or a file, and says how the kernel answered.
MountOutcome mount_source(const MountRequest &request,
			  const std::string &source,
			  const std::optional<DomainIdFile> &id,
			  MountReport &report)
{
	FsContext context = FsContext::open();

	if (!context.set_string("source", source.c_str()) ||
	    !set_options(context, request, id, report) || !context.create())
		return context.finish();
	const UniqueFd tree = context.make_mount(request.attributes);
	if (!tree.valid())
		return context.finish();
	if (!request.target_namespace.empty())
		enter_namespace(request.target_namespace);
	context.attach(tree, request.target);
	return context.finish();
}

/// Whether the mount at the target says that it shares; true if nobody knows.
bool shares(const MountRequest &request)
{
	const std::unique_ptr<libmnt_table, decltype(&mnt_unref_table)> table(
		mnt_new_table_from_file("/proc/self/mountinfo"),
		mnt_unref_table);
	const std::unique_ptr<char, decltype(&std::free)> path(
		realpath(request.target.c_str(), nullptr), std::free);

	if (!table || !path)
		return true;
	libmnt_fs *const found = mnt_table_find_target(table.get(), path.get(),
						       MNT_ITER_BACKWARD);
	return found == nullptr ||
	       mnt_fs_match_options(found, "inode_share") == 1;
}

/// The target's and the source's own faults, in mount(8)'s words.
void check_target(const MountRequest &request)
{
	struct stat info {};

	// A path of another namespace is not ours to look at.
	if (!request.target_namespace.empty())
		return;
	if (stat(request.target.c_str(), &info) != 0)
		fail(request, errno == ENOENT ? "mount point does not exist"
					      : reason(errno));
	if (!S_ISDIR(info.st_mode))
		fail(request, "mount point is not a directory");
}

/// Whether the source is a regular file; else it is a block device.
bool is_file(const MountRequest &request)
{
	struct stat info {};

	if (stat(request.source.c_str(), &info) != 0)
		fail(request, request.source + ": " + reason(errno));
	if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
		fail(request, request.source +
				      " is neither a regular file nor a block "
				      "device");
	return S_ISREG(info.st_mode);
}

/// "Mounted" in the words of -v.
void report_mount(const MountRequest &request, const std::string &source,
		  MountReport &report)
{
	std::string options = "ro,inode_share";

	for (const std::string &option : request.fs_options)
		options += "," + option;
	report.done.push_back(source + " mounted on " + request.target +
			      " (type erofs, options " + options +
			      ", domain of " + request.domain_id_file + ")");
}

void mount_new(const MountRequest &request, MountReport &report)
{
	const std::optional<DomainIdFile> id(std::in_place,
					     request.domain_id_file);
	MountOutcome outcome;
	std::string source = request.source;

	check_target(request);
	const bool file = is_file(request);
	if (request.fake) {
		report.done.push_back(source + " would be mounted on " +
				      request.target);
		return;
	}
	if (!file || !request.loop)
		outcome = mount_source(request, source, id, report);
	// A kernel that mounts block devices only, or not that file's.
	std::optional<LoopDevice> loop;
	if (file && (request.loop || outcome.error == ENOTBLK)) {
		loop.emplace(request.source);
		source = loop->path();
		report.done.push_back(request.source + " is " + source);
		report.warnings.clear();
		outcome = mount_source(request, source, id, report);
	}
	if (outcome.error != 0)
		fail_as(request, "cannot mount " + request.source, outcome);
	report_mount(request, source, report);
	if (!shares(request))
		report.warnings.push_back(about(
			request,
			"mounted, but it shares nothing: " + request.source +
				" has no fingerprints (make it with mkfs.erofs "
				"--xattr-inode-digest=trusted.erofs."
				"fingerprint), or it was mounted before "
				"without sharing"));
}

/// Gives the mount at the target the attributes that are asked for. As with
/// mount(2), access times stay as they are unless the options name them.
void change_attributes(const MountRequest &request)
{
	constexpr unsigned int kAll =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW;
	mount_attr change{};

	change.attr_set = request.attributes;
	change.attr_clr = kAll & ~request.attributes;
	if (request.names_atime)
		change.attr_clr |= MOUNT_ATTR__ATIME;
	if (mount_setattr(AT_FDCWD, request.target.c_str(), 0, &change,
			  sizeof(change)) != 0)
		fail(request, "mount_setattr: " + reason(errno));
}

void remount(const MountRequest &request, MountReport &report)
{
	struct statfs info {};
	std::optional<DomainIdFile> id;

	if (!request.domain_id_file.empty())
		id.emplace(request.domain_id_file);
	if (!request.target_namespace.empty())
		enter_namespace(request.target_namespace);
	// Anything else would take our options for its own.
	if (statfs(request.target.c_str(), &info) != 0)
		fail(request, reason(errno));
	if (info.f_type != EROFS_SUPER_MAGIC_V1)
		fail(request, "no erofs is mounted there");
	if (request.fake) {
		report.done.push_back(request.target + " would be remounted");
		return;
	}
	FsContext context = FsContext::pick(request.target);
	if (set_options(context, request, id, report))
		context.reconfigure();
	const MountOutcome outcome = context.finish();
	if (outcome.error != 0)
		fail_as(request, "cannot remount", outcome);
	change_attributes(request);
	report.done.push_back(request.target + " remounted");
}

} // namespace

void carry_out(const MountRequest &request, MountReport &report)
{
	if (request.remount)
		remount(request, report);
	else
		mount_new(request, report);
}

} // namespace erofs_share
