// SPDX-License-Identifier: GPL-2.0-only
// Mounting with an id in plain text for no longer than the system call.
#include "machine/mount_calls.h"

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/clear_page.h"

#include <fcntl.h>
#include <iostream>
#include <span>
#include <sys/mount.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// Longer than the 255 bytes that an id may have.
constexpr std::size_t kPadding = 300;

/// Adds the value of @option to @page.
void add_value(ClearPage &page, const RequestOption &option, const DomainId &id)
{
	switch (option.value) {
	case OptionValue::kNone:
		break;
	case OptionValue::kText:
		page.add(option.text);
		break;
	case OptionValue::kLongId:
		page.add(id);
		page.add(std::string(kPadding, 'x'));
		break;
	case OptionValue::kId:
	case OptionValue::kBlob:
	case OptionValue::kPath:
	case OptionValue::kInName:
		page.add(id);
		break;
	}
}

/// An fs context that remembers its first error.
class Context {
      public:
	explicit Context(int fd) : fd_(fd)
	{
		note(fd_.valid() ? 0 : -1);
	}
	void set(const RequestOption &option, const DomainId &id)
	{
		ClearPage value;
		const char *key = option.key.c_str();

		if (option.value == OptionValue::kInName)
			value.add(option.key + "=");
		add_value(value, option, id);
		switch (option.value) {
		case OptionValue::kNone:
			note(fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key,
				      nullptr, 0));
			break;
		case OptionValue::kInName:
			note(fsconfig(fd_.get(), FSCONFIG_SET_FLAG,
				      value.c_str(), nullptr, 0));
			break;
		case OptionValue::kBlob:
			note(fsconfig(fd_.get(), FSCONFIG_SET_BINARY, key,
				      value.c_str(),
				      static_cast<int>(value.size())));
			break;
		case OptionValue::kPath:
			note(fsconfig(fd_.get(), FSCONFIG_SET_PATH, key,
				      value.c_str(), AT_FDCWD));
			break;
		case OptionValue::kText:
		case OptionValue::kId:
		case OptionValue::kLongId:
			note(fsconfig(fd_.get(), FSCONFIG_SET_STRING, key,
				      value.c_str(), 0));
			break;
		}
	}
	void set_all(const MountRequest &request, const DomainId &id)
	{
		for (const RequestOption &option : request.options)
			set(option, id);
	}
	void command(unsigned int which)
	{
		if (error_ == 0)
			note(fsconfig(fd_.get(), which, nullptr, nullptr, 0));
	}
	void attach(const std::string &target)
	{
		if (error_ != 0)
			return;
		const UniqueFd tree(
			fsmount(fd_.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY));
		note(tree.valid() ? 0 : -1);
		if (error_ == 0)
			note(move_mount(tree.get(), "", AT_FDCWD,
					target.c_str(),
					MOVE_MOUNT_F_EMPTY_PATH));
	}
	[[nodiscard]] int error() const
	{
		return error_;
	}

      private:
	void note(int result)
	{
		if (result < 0 && error_ == 0)
			error_ = errno;
	}
	UniqueFd fd_;
	int error_ = 0;
};

int by_fsconfig(const MountRequest &request, const DomainId &id)
{
	Context context(request.remount
				? fspick(AT_FDCWD, request.target.c_str(),
					 FSPICK_CLOEXEC)
				: fsopen(request.type.c_str(), FSOPEN_CLOEXEC));

	if (request.source && !request.remount)
		context.set({.key = "source",
			     .value = OptionValue::kText,
			     .text = *request.source},
			    id);
	context.set({.key = "ro"}, id);
	if (!request.options_after_create)
		context.set_all(request, id);
	if (request.remount) {
		context.command(FSCONFIG_CMD_RECONFIGURE);
		return context.error();
	}
	if (request.target.empty())
		return context.error();
	context.command(FSCONFIG_CMD_CREATE);
	if (request.options_after_create)
		context.set_all(request, id);
	context.attach(request.target);
	return context.error();
}

int by_mount(const MountRequest &request, const DomainId &id)
{
	const unsigned long flags =
		MS_RDONLY | request.flags | (request.remount ? MS_REMOUNT : 0);
	ClearPage page;

	for (const RequestOption &option : request.options) {
		if (page.size() > 0)
			page.add(',');
		page.add(option.key);
		if (option.value != OptionValue::kNone)
			page.add('=');
		add_value(page, option, id);
	}
	if (request.id_behind_end) {
		page.add('\0');
		page.add(id);
	}
	return mount(request.source ? request.source->c_str() : nullptr,
		     request.target.c_str(), request.type.c_str(), flags,
		     page.c_str()) == 0
		       ? 0
		       : errno;
}

bool can_all(const MountRequest & /*request*/)
{
	return true;
}

/// The file that the mount helper reads the id from: wiped, then removed.
class WipedFile {
      public:
	WipedFile(const RequestOption &option, const DomainId &id)
	    : fd_(open_file(kPath, O_WRONLY | O_CREAT | O_EXCL, 0600))
	{
		ClearPage page;

		add_value(page, option, id);
		size_ = page.size();
		write_all(fd_.get(),
			  std::as_bytes(std::span(page.c_str(), size_)), kPath);
	}
	WipedFile(const WipedFile &) = delete;
	WipedFile &operator=(const WipedFile &) = delete;
	WipedFile(WipedFile &&) = delete;
	WipedFile &operator=(WipedFile &&) = delete;
	~WipedFile()
	{
		const std::string nothing(size_, '\0');

		if (pwrite(fd_.get(), nothing.data(), size_, 0) < 0)
			std::cerr << "wipe " << kPath << ": "
				  << std::generic_category().message(errno)
				  << '\n';
		unlink(kPath);
	}

	static constexpr const char *kPath = "/run/domain-id";

      private:
	UniqueFd fd_;
	std::size_t size_ = 0;
};

/// The helper takes one id, from a file, and always shares.
bool helper_can(const MountRequest &request)
{
	std::size_t ids = 0;

	for (const RequestOption &option : request.options) {
		const bool id = option.value == OptionValue::kId ||
				option.value == OptionValue::kLongId;

		if ((option.key == "domain_id") != id)
			return false;
		if (!id && option.value != OptionValue::kNone &&
		    option.value != OptionValue::kText)
			return false;
		ids += id ? 1 : 0;
	}
	return ids <= 1 && (ids == 1 || request.remount) &&
	       !request.target.empty() && (request.source || request.remount) &&
	       !request.id_behind_end && !request.options_after_create &&
	       request.flags == 0 && request.type == "erofs";
}

int by_helper(const MountRequest &request, const DomainId &id)
{
	std::optional<WipedFile> file;
	std::string options = request.remount ? "ro,remount" : "ro";

	for (const RequestOption &option : request.options) {
		if (option.key == "domain_id") {
			file.emplace(option, id);
			options += std::string(",domain_id_file=") +
				   WipedFile::kPath;
		} else if (option.key != "inode_share") {
			options += "," + option.key;
			if (option.value == OptionValue::kText)
				options += "=" + option.text;
		}
	}
	// The real errno stays in the helper.
	return run_program("/", {"/sbin/mount.erofs-share",
				 request.source.value_or("none"),
				 request.target, "-o", options})
				       .status == 0
		       ? 0
		       : EINVAL;
}

} // namespace

const std::vector<MountWay> &mount_ways()
{
	static const std::vector<MountWay> kWays = {
		{kFsconfigWay, by_fsconfig, can_all},
		{kMountWay, by_mount, can_all},
		{kHelperWay, by_helper, helper_can},
	};

	return kWays;
}

} // namespace erofs_share
