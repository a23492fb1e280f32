// SPDX-License-Identifier: GPL-2.0-only
// Mounting with an id in plain text for no longer than the system call.
#include "mount_way.h"

#include "clear_page.h"
#include "error.h"
#include "fd.h"

#include <fcntl.h>
#include <sys/mount.h>

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

} // namespace

const std::vector<MountWay> &mount_ways()
{
	static const std::vector<MountWay> kWays = {
		{kFsconfigWay, by_fsconfig},
		{kMountWay, by_mount},
	};

	return kWays;
}

} // namespace erofs_share
