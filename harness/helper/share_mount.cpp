// SPDX-License-Identifier: GPL-2.0-only
// Mounting with page cache sharing. Everything goes to the kernel by
// fsconfig(2), and the domain id straight from its locked page.
#include "helper/share_mount.h"

#include "base/held_signals.h"
#include "base/quote.h"
#include "base/trusted_path.h"
#include "erofs/image_look.h"
#include "helper/domain_id_file.h"
#include "helper/mount_refusal.h"
#include "helper/mount_sources.h"
#include "helper/mount_steps.h"
#include "helper/share_remount.h"
#include "helper/target_namespace.h"
#include "helper/verity.h"
#include "os/fs_context.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <utility>

namespace erofs_share {

namespace {

/// Refuses @tree if what was looked at is not what was mounted.
void check_verity(const MountRequest &request, const UniqueFd &tree)
{
	struct stat info {};

	if (fstat(tree.get(), &info) != 0 || !is_verity_device(info.st_dev))
		fail(request, request.source +
				      " became another device while it was "
				      "mounted");
}

/// Makes or finds the superblock of @sources in the domain of @id.
FsContext superblock_of(const MountRequest &request,
			const MountSources &sources, const char *id,
			MountReport &report)
{
	FsContext context = FsContext::open();

	if (context.set_string("source", sources.image().c_str()) &&
	    set_all(context, request, sources.options(), id, report))
		context.create();
	return context;
}

/// Whether the mount with the device number @device says that it shares; true
/// if nobody knows.
bool shares(const OwnProcess &process, dev_t device)
{
	const std::string number = std::to_string(major(device)) + ":" +
				   std::to_string(minor(device));
	std::istringstream lines(process.mounts());
	bool found = false;

	for (std::string line; std::getline(lines, line);) {
		// id parent dev ... - type source options-of-the-superblock
		std::istringstream fields(line);
		std::string field;

		fields >> field >> field >> field;
		if (field != number)
			continue;
		found = true;
		const std::size_t last = line.rfind(' ') + 1;
		if (("," + line.substr(last) + ",").find(",inode_share,") !=
		    std::string::npos)
			return true;
	}
	return !found;
}

/// Opens the directory to mount on, in the words of mount(8) where that fails.
/// It is looked up once: whoever has a part of its path may exchange that at
/// any time, and must not have root mount over something of others.
UniqueFd open_target(const MountRequest &request)
{
	const auto cannot = [&](int error, const std::string &why) {
		fail(request, error == ENOENT ? "mount point does not exist"
			      : error == ENOTDIR
				      ? "mount point is not a directory"
				      : why);
	};

	// In another namespace nobody leads us out of that.
	if (!request.target_namespace.empty()) {
		UniqueFd target(open(request.target.c_str(),
				     O_PATH | O_DIRECTORY | O_CLOEXEC));

		if (!target.valid())
			cannot(errno, reason(errno));
		return target;
	}
	try {
		return open_directory_itself(request.target);
	} catch (const UntrustedPath &error) {
		cannot(error.error(), error.what());
		throw;
	}
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

/// What -f does of a mount.
void try_mount(const MountRequest &request, MountReport &report)
{
	auto log = follow_kernel_log();
	FsContext context = FsContext::open();

	if (const std::string why = why_no_image(request.source); !why.empty())
		fail(request, why);
	if (context.set_string("source", request.source.c_str()))
		try_options(context, request, true, report);
	const MountOutcome outcome = context.finish();
	if (outcome.error != 0)
		fail_as(request, "would not mount " + request.source, outcome,
			log);
	report.done.push_back(request.source + " would be mounted on " +
			      request.target);
}

/// Attaches the mount of @context, and returns its device number.
dev_t attach(FsContext &context, const MountRequest &request,
	     const TargetNamespace &space, UniqueFd target, bool verity)
{
	// The directory may be where somebody lets us wait.
	const SignalsLetThrough may_end;
	const UniqueFd tree = context.make_mount(request.attributes);
	struct stat info {};

	if (!tree.valid() || fstat(tree.get(), &info) != 0)
		return 0;
	if (verity)
		check_verity(request, tree);
	space.enter();
	if (!target.valid())
		target = open_target(request);
	context.attach(tree, target);
	return info.st_dev;
}

void mount_new(const MountRequest &request, MountReport &report)
{
	DomainIdFile id(request.domain_id_file);
	// The paths may be where somebody lets us wait.
	std::optional<SignalsLetThrough> may_end(std::in_place);
	// A path of another namespace is not ours to look at.
	UniqueFd target = request.target_namespace.empty()
				  ? open_target(request)
				  : UniqueFd();
	MountSources sources(request);
	if (request.fake) {
		try_mount(request, report);
		return;
	}
	// While paths are those of our mount namespace.
	const TargetNamespace space(request.target_namespace);
	const OwnProcess process;
	auto log = follow_kernel_log();
	bool verity = all_under_verity(request);
	UniqueFd image = open_source(request.source);
	const bool loops = request.loop || sources.are_mixed();
	if (loops)
		sources.use_loops(report.done);
	may_end.reset();
	id.load();
	FsContext context = superblock_of(
		request, sources,
		verity ? id.derive(kVerityDomain) : id.c_str(), report);
	MountOutcome outcome = context.finish();
	// A kernel that mounts block devices only, or not that file's.
	if (outcome.error == ENOTBLK && sources.have_files()) {
		sources.use_loops(report.done);
		report.warnings.clear();
		verity = false;
		context = superblock_of(request, sources, id.c_str(), report);
		outcome = context.finish();
	}
	id.wipe();
	dev_t device = 0;
	if (outcome.error == 0) {
		device = attach(context, request, space, std::move(target),
				verity);
		outcome = context.finish();
	}
	if (outcome.error != 0)
		fail_as(request, "cannot mount " + request.source, outcome,
			log);
	report_mount(request, sources.image(), verity, report);
	if (shares(process, device))
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

} // namespace

void carry_out(const MountRequest &request, MountReport &report)
{
	if (request.remount)
		remount(request, report);
	else
		mount_new(request, report);
}

} // namespace erofs_share
