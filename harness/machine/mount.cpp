// SPDX-License-Identifier: GPL-2.0-only
// Mounting through fsopen(2), mount(2) and libmount.
#include "machine/mount.h"

#include "base/error.h"
#include "base/fd.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <libmount.h>
#include <memory>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr const char *kMountRoot = "/mnt";

std::string new_target()
{
	std::string path = std::string(kMountRoot) + "/erofs-XXXXXX";

	if (mkdir(kMountRoot, 0755) != 0 && errno != EEXIST)
		throw_errno(std::string("mkdir ") + kMountRoot);
	if (mkdtemp(path.data()) == nullptr)
		throw_errno("mkdtemp " + path);
	return path;
}

/// An option string that is wiped when it goes: it may hold a domain id.
class OptionString {
      public:
	explicit OptionString(const MountOptions &options)
	{
		// No reallocation may leave an unwiped copy behind.
		text_.reserve(4096);
		for (const std::string &option : options.extra)
			add(option);
		if (options.inode_share)
			add("inode_share");
		if (options.domain) {
			add("domain_id=");
			text_ += options.domain->reveal().view();
		}
	}
	OptionString(const OptionString &) = delete;
	OptionString &operator=(const OptionString &) = delete;
	OptionString(OptionString &&) = delete;
	OptionString &operator=(OptionString &&) = delete;
	~OptionString()
	{
		explicit_bzero(text_.data(), text_.size());
	}
	[[nodiscard]] const char *c_str() const
	{
		return text_.c_str();
	}

      private:
	void add(std::string_view option)
	{
		if (!text_.empty())
			text_ += ',';
		text_ += option;
	}
	std::string text_;
};

bool set_options(FsContext &context, const MountOptions &options)
{
	for (const std::string &option : options.extra)
		if (!context.set_option(option))
			return false;
	if (options.inode_share && !context.set_flag("inode_share"))
		return false;
	return !options.domain ||
	       context.set_string("domain_id",
				  options.domain->reveal().c_str());
}

MountOutcome mount_by_fsopen(const std::string &source,
			     const std::string &target,
			     const MountOptions &options)
{
	FsContext context = FsContext::open();

	if (context.set_string("source", source.c_str()) &&
	    context.set_flag("ro") && set_options(context, options) &&
	    context.create()) {
		const UniqueFd tree = context.make_mount(MOUNT_ATTR_RDONLY);

		if (tree.valid())
			context.attach(tree, target);
	}
	return context.finish();
}

MountOutcome outcome_of(int result, const std::string &call)
{
	MountOutcome outcome;

	if (result < 0) {
		outcome.error = errno;
		outcome.call = call;
	}
	return outcome;
}

MountOutcome mount_by_mount(const std::string &source,
			    const std::string &target,
			    const MountOptions &options)
{
	const OptionString data(options);

	return outcome_of(mount(source.c_str(), target.c_str(), "erofs",
				MS_RDONLY, data.c_str()),
			  "mount " + target);
}

MountOutcome mount_by_libmount(const std::string &source,
			       const std::string &target,
			       const MountOptions &options)
{
	const OptionString data(options);
	const std::unique_ptr<libmnt_context, decltype(&mnt_free_context)>
		context(mnt_new_context(), mnt_free_context);
	MountOutcome outcome;

	if (!context)
		throw_error(ENOMEM, "mnt_new_context");
	// libmount would turn a regular file into a loop device.
	mnt_context_set_source(context.get(), source.c_str());
	mnt_context_set_target(context.get(), target.c_str());
	mnt_context_set_fstype(context.get(), "erofs");
	mnt_context_set_mflags(context.get(), MS_RDONLY);
	mnt_context_set_options(context.get(), data.c_str());
	mnt_context_disable_mtab(context.get(), 1);
	const int result = mnt_context_mount(context.get());
	if (result != 0) {
		outcome.error = result < 0 ? -result : EINVAL;
		if (mnt_context_get_status(context.get()) == 0 &&
		    mnt_context_syscall_called(context.get()) != 0)
			outcome.error =
				mnt_context_get_syscall_errno(context.get());
		outcome.call = "mnt_context_mount " + target;
	}
	return outcome;
}

} // namespace

Mount &Mount::operator=(Mount &&other) noexcept
{
	if (this != &other) {
		std::swap(target_, other.target_);
		std::swap(own_target_, other.own_target_);
	}
	return *this;
}

Mount::~Mount()
{
	constexpr int kTries = 400;
	constexpr auto kPause = std::chrono::milliseconds(50);
	int error = 0;

	if (target_.empty())
		return;
	// khugepaged holds files whose mappings it looks at, also when they
	// were closed meanwhile (mm/khugepaged.c, khugepaged_scan_mm_slot()).
	for (int i = 0; i < kTries; i++) {
		error = umount2(target_.c_str(), UMOUNT_NOFOLLOW) == 0 ? 0
								       : errno;
		if (error != EBUSY)
			break;
		std::this_thread::sleep_for(kPause);
	}
	if (error != 0) {
		std::cerr << "umount " << target_ << ": "
			  << std::generic_category().message(error)
			  << ", detaching it\n";
		umount2(target_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	drop_target();
}

void Mount::drop_target()
{
	if (own_target_)
		rmdir(target_.c_str());
	target_.clear();
}

int Mount::try_unmount()
{
	if (umount2(target_.c_str(), UMOUNT_NOFOLLOW) != 0)
		return errno;
	drop_target();
	return 0;
}

void Mount::unmount()
{
	const std::string target = target_;
	const int error = try_unmount();

	if (error != 0)
		throw_error(error, "umount " + target);
}

MountOutcome Mount::remount(const MountOptions &options, MountApi api) const
{
	if (api == MountApi::kFsopen) {
		FsContext context = FsContext::pick(target_);

		if (context.set_flag("ro") && set_options(context, options))
			context.reconfigure();
		return context.finish();
	}

	const OptionString data(options);

	return outcome_of(mount("none", target_.c_str(), nullptr,
				MS_REMOUNT | MS_RDONLY, data.c_str()),
			  "mount -o remount " + target_);
}

std::pair<std::optional<Mount>, MountOutcome>
try_mount_erofs(const std::string &source, const MountOptions &options,
		MountApi api)
{
	const std::string target = new_target();
	MountOutcome outcome;

	switch (api) {
	case MountApi::kFsopen:
		outcome = mount_by_fsopen(source, target, options);
		break;
	case MountApi::kMount:
		outcome = mount_by_mount(source, target, options);
		break;
	case MountApi::kLibmount:
		outcome = mount_by_libmount(source, target, options);
		break;
	}
	if (outcome.error != 0) {
		rmdir(target.c_str());
		return {std::nullopt, std::move(outcome)};
	}
	return {Mount(target, true), std::move(outcome)};
}

Mount mount_erofs(const std::string &source, const MountOptions &options,
		  MountApi api)
{
	auto [mounted, outcome] = try_mount_erofs(source, options, api);

	if (!mounted)
		throw_error(outcome.error,
			    "mount " + source + ": " + outcome.text());
	return std::move(*mounted);
}

Mount mount_other(const std::string &type, const std::string &source,
		  const std::string &target, unsigned long flags,
		  const std::string &data)
{
	if (mount(source.c_str(), target.c_str(), type.c_str(), flags,
		  data.c_str()) != 0)
		throw_errno("mount " + type + " " + source + " on " + target);
	return {target, false};
}

} // namespace erofs_share
