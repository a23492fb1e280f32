// SPDX-License-Identifier: GPL-2.0-only
// Mounting and remounting with page cache sharing. Everything goes to the
// kernel by fsconfig(2), and the domain id straight from its locked page.
#include "share_mount.h"

#include "domain_id_file.h"
#include "error.h"
#include "fs_context.h"
#include "image_look.h"
#include "loop_device.h"
#include "mount_failure.h"
#include "quote.h"
#include "verity.h"

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

/// What the id of the domain that verity devices share in is derived from, with
/// the id in the file. Changing it parts new mounts from those that there are.
constexpr std::string_view kVerityDomain = "erofs-share dm-verity domain v1";

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
		 const char *id, MountReport &report)
{
	if (!context.set_flag("ro"))
		return false;
	if (id != nullptr && !context.set_flag("inode_share"))
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
	return id == nullptr || context.set_string("domain_id", id);
}

/// Goes to the mount namespace that the target is in.
void enter_namespace(const std::string &path)
{
	const UniqueFd space = open_file(path, O_RDONLY);

	if (setns(space.get(), CLONE_NEWNS) != 0)
		throw_errno("setns " + path);
}

/// Refuses @tree if what was looked at is not what was mounted.
void check_verity(const MountRequest &request, const UniqueFd &tree)
{
	struct stat info {};

	if (fstat(tree.get(), &info) != 0 || !is_verity_device(info.st_dev))
		fail(request, request.source +
				      " became another device while it was "
				      "mounted");
}

/// Mounts @source, a block device or a file, in the domain of @file or, with
/// @verity, in that of verity devices, and says how the kernel answered.
MountOutcome mount_source(const MountRequest &request,
			  const std::string &source, DomainIdFile &file,
			  bool verity, MountReport &report)
{
	const char *const id =
		verity ? file.derive(kVerityDomain) : file.c_str();
	FsContext context = FsContext::open();

	if (!context.set_string("source", source.c_str()) ||
	    !set_options(context, request, id, report) || !context.create())
		return context.finish();
	const UniqueFd tree = context.make_mount(request.attributes);
	if (!tree.valid())
		return context.finish();
	if (verity)
		check_verity(request, tree);
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
		  bool verity, MountReport &report)
{
	std::string options = "ro,inode_share";

	for (const std::string &option : request.fs_options)
		options += "," + option;
	report.done.push_back(source + " mounted on " + request.target +
			      " (type erofs, options " + options +
			      ", domain of " + request.domain_id_file +
			      (verity ? ", for dm-verity devices)" : ")"));
}

/// Says what keeps files of @source, which is open in @image, from sharing.
void report_fingerprints(const MountRequest &request, const std::string &source,
			 UniqueFd image, MountReport &report)
{
	const auto seen = look_at_image(std::move(image));

	if (!seen || seen->declared == 0)
		return;
	if (seen->complete != 0 && seen->files > 0 && seen->named == 0)
		report.warnings.push_back(about(
			request,
			"mounted, but it shares nothing: " + source +
				" declares fingerprints, and none of its files "
				"has one (mkfs.erofs writes none with --tar=i, "
				"and loses hidden ones where it merges "
				"layers)"));
	if (seen->ambiguous > 0)
		report.warnings.push_back(about(
			request,
			"files of " + source +
				" with more than one fingerprint, which are "
				"not shared: " +
				std::to_string(seen->ambiguous) +
				(seen->complete != 0 ? "" : " or more") +
				", the first is " +
				quote_name(seen->first_ambiguous.data()) +
				"; see erofs-share check"));
}

void mount_new(const MountRequest &request, MountReport &report)
{
	std::optional<DomainIdFile> id(std::in_place, request.domain_id_file);
	MountOutcome outcome;
	std::string source = request.source;

	check_target(request);
	const bool file = is_file(request);
	if (request.fake) {
		report.done.push_back(source + " would be mounted on " +
				      request.target);
		return;
	}
	// While paths are those of our mount namespace.
	const bool verity = all_under_verity(request);
	UniqueFd image(open(source.c_str(),
			    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
	if (!file || !request.loop)
		outcome = mount_source(request, source, *id, verity, report);
	// A kernel that mounts block devices only, or not that file's.
	std::optional<LoopDevice> loop;
	if (file && (request.loop || outcome.error == ENOTBLK)) {
		loop.emplace(request.source);
		source = loop->path();
		report.done.push_back(request.source + " is " + source);
		report.warnings.clear();
		outcome = mount_source(request, source, *id, false, report);
	}
	id.reset();
	if (outcome.error != 0)
		fail_as(request, "cannot mount " + request.source, outcome);
	report_mount(request, source, verity, report);
	if (shares(request))
		report_fingerprints(request, request.source, std::move(image),
				    report);
	else
		report.warnings.push_back(about(
			request,
			"mounted, but it shares nothing: " + request.source +
				" has no fingerprints (make it with mkfs.erofs "
				"--xattr-inode-digest), or it was mounted "
				"before "
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

/// Changes the options of the superblock at the target, whose domain is that of
/// @id.
MountOutcome reconfigure(const MountRequest &request, const char *id,
			 MountReport &report)
{
	FsContext context = FsContext::pick(request.target);

	if (set_options(context, request, id, report))
		context.reconfigure();
	return context.finish();
}

void remount(const MountRequest &request, MountReport &report)
{
	struct statfs info {};
	struct stat status {};
	std::optional<DomainIdFile> id;

	if (!request.domain_id_file.empty())
		id.emplace(request.domain_id_file);
	const char *const plain = id ? id->c_str() : nullptr;
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
	const bool verity = id && stat(request.target.c_str(), &status) == 0 &&
			    is_verity_device(status.st_dev);
	MountOutcome outcome = reconfigure(
		request, verity ? id->derive(kVerityDomain) : plain, report);
	// Only the source is seen: there may be a device without verity.
	if (verity && outcome.error == EINVAL)
		outcome = reconfigure(request, plain, report);
	id.reset();
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
