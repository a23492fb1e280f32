// SPDX-License-Identifier: GPL-2.0-only
// Command line and option string of the mount helper. Which options mean what
// to mount(8) and to the VFS is libmount's knowledge.
#include "helper/mount_request.h"

#include "helper/mount_failure.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <getopt.h>
#include <libmount.h>
#include <memory>
#include <string_view>
#include <sys/mount.h>
#include <utility>

namespace erofs_share {

namespace {

using Text = std::unique_ptr<char, decltype(&std::free)>;

[[noreturn]] void refuse(const std::string &text)
{
	throw MountFailure(MountStatus::kUsage, text);
}

/// The options that a helper cannot be asked for.
constexpr unsigned long kNotForHelpers =
	MS_BIND | MS_MOVE | MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE;

unsigned int attributes_of(unsigned long flags)
{
	unsigned int attributes = MOUNT_ATTR_RDONLY;

	if ((flags & MS_NOSUID) != 0)
		attributes |= MOUNT_ATTR_NOSUID;
	if ((flags & MS_NODEV) != 0)
		attributes |= MOUNT_ATTR_NODEV;
	if ((flags & MS_NOEXEC) != 0)
		attributes |= MOUNT_ATTR_NOEXEC;
	if ((flags & MS_NODIRATIME) != 0)
		attributes |= MOUNT_ATTR_NODIRATIME;
#ifdef MS_NOSYMFOLLOW
	if ((flags & MS_NOSYMFOLLOW) != 0)
		attributes |= MOUNT_ATTR_NOSYMFOLLOW;
#endif
	// The order in which mount(2) looks at them.
	if ((flags & MS_STRICTATIME) != 0)
		attributes |= MOUNT_ATTR_STRICTATIME;
	else if ((flags & MS_NOATIME) != 0)
		attributes |= MOUNT_ATTR_NOATIME;
	return attributes;
}

void take_vfs_options(const char *options, MountRequest &request)
{
	unsigned long flags = 0;

	if (mnt_optstr_get_flags(options, &flags,
				 mnt_get_builtin_optmap(MNT_LINUX_MAP)) != 0)
		refuse(std::string("options '") + options + "' make no sense");
	if ((flags & kNotForHelpers) != 0)
		refuse("bind, move and propagation options are mount(8)'s own, "
		       "on a mount that exists: use them without -t");
	request.remount = (flags & MS_REMOUNT) != 0;
	request.attributes = attributes_of(flags);
	request.names_atime =
		(flags & (MS_STRICTATIME | MS_NOATIME | MS_RELATIME)) != 0;
	// Those that are the superblock's. "ro" is said anyway.
	if ((flags & MS_SYNCHRONOUS) != 0)
		request.fs_options.emplace_back("sync");
	if ((flags & MS_DIRSYNC) != 0)
		request.fs_options.emplace_back("dirsync");
	if ((flags & MS_LAZYTIME) != 0)
		request.fs_options.emplace_back("lazytime");
}

/// mount(8) keeps most of these to itself, and the rest is for others as well:
/// only those about loop devices change what we do.
void take_user_options(const char *options, MountRequest &request)
{
	char *value = nullptr;
	size_t size = 0;

	if (mnt_optstr_get_option(options, "loop", &value, &size) == 0) {
		if (size != 0)
			refuse("loop=DEVICE needs mount(8), which sets that "
			       "device up; expected loop without a value");
		request.loop = true;
	}
	for (const char *name : {"offset", "sizelimit"})
		if (mnt_optstr_get_option(options, name, &value, &size) == 0)
			refuse(std::string(name) +
			       "= needs mount(8) and -o loop");
}

void take_fs_options(char *options, MountRequest &request)
{
	char *name = nullptr;
	char *value = nullptr;
	size_t name_size = 0;
	size_t value_size = 0;

	while (mnt_optstr_next_option(&options, &name, &name_size, &value,
				      &value_size) == 0) {
		std::string key(name, name_size);
		std::string text(value != nullptr ? value : "", value_size);

		// Quotes keep a comma from ending an option; they end here.
		if (text.size() >= 2 && text.front() == '"' &&
		    text.back() == '"')
			text = text.substr(1, text.size() - 2);
		if (key == "domain_id_file") {
			if (text.empty())
				refuse("domain_id_file needs a value: "
				       "domain_id_file=PATH");
			if (!request.domain_id_file.empty())
				refuse("domain_id_file was given twice; a "
				       "mount has one domain");
			request.domain_id_file = text;
		} else if (key == "inode_share" && value == nullptr) {
			// Implied.
		} else {
			if (value != nullptr)
				key.append("=").append(text);
			request.fs_options.push_back(std::move(key));
		}
	}
}

/// Refuses a domain id among @options, and overwrites it where it stands.
void refuse_plain_id(char *options)
{
	char *name = nullptr;
	char *value = nullptr;
	size_t name_size = 0;
	size_t value_size = 0;
	bool found = false;

	while (mnt_optstr_next_option(&options, &name, &name_size, &value,
				      &value_size) == 0) {
		if (std::string_view(name, name_size) != "domain_id")
			continue;
		found = true;
		if (value != nullptr)
			explicit_bzero(value, value_size);
	}
	if (found)
		refuse("domain_id= on a command line or in fstab can be read "
		       "by everybody, so that id is no secret any more; put a "
		       "new one into a file that only root can read and use "
		       "domain_id_file=PATH");
}

/// Quotes keep commas together. One that is not closed would make one option
/// of all that follow it.
void check_quotes(const std::string &options)
{
	if (std::count(options.begin(), options.end(), '"') % 2 != 0)
		refuse("options '" + options +
		       "': a double quote is not closed; expected quotes in "
		       "pairs, such as device=\"/a,b\"");
}

/// Refuses a value of @name, an option of the VFS that has none: the kernel
/// would, and mount(8) takes some, such as noatime=recursive, for itself only.
void check_vfs_value(const std::string &name)
{
	for (const libmnt_optmap *map = mnt_get_builtin_optmap(MNT_LINUX_MAP);
	     map->name != nullptr; map++)
		if (name == map->name)
			refuse(name + " takes no value here; expected " + name +
			       " alone");
}

void check_options(std::string options)
{
	char *next = options.data();
	char *name = nullptr;
	char *value = nullptr;
	size_t name_size = 0;
	size_t value_size = 0;

	check_quotes(options);
	while (mnt_optstr_next_option(&next, &name, &name_size, &value,
				      &value_size) == 0)
		if (value != nullptr)
			check_vfs_value(std::string(name, name_size));
}

void take_options(char *options, MountRequest &request)
{
	char *user = nullptr;
	char *vfs = nullptr;
	char *fs = nullptr;

	if (mnt_split_optstr(options, &user, &vfs, &fs, 0, 0) != 0)
		refuse(std::string("options '") + options + "' make no sense");
	const Text user_owner(user, std::free);
	const Text vfs_owner(vfs, std::free);
	const Text fs_owner(fs, std::free);
	if (user != nullptr)
		take_user_options(user, request);
	if (vfs != nullptr)
		take_vfs_options(vfs, request);
	if (fs != nullptr)
		take_fs_options(fs, request);
}

} // namespace

std::string mount_usage()
{
	return "usage: mount -t erofs-share -o domain_id_file=PATH[,OPTION...] "
	       "IMAGE DIRECTORY";
}

MountRequest parse_mount_request(std::span<char *> arguments)
{
	const int count = static_cast<int>(arguments.size());
	MountRequest request;
	// Later options win over earlier ones: they are one list.
	std::string options;

	request.attributes = MOUNT_ATTR_RDONLY;
	opterr = 0;
	for (int letter = 0;
	     (letter = getopt(count, arguments.data(), "fnsvo:t:N:")) != -1;) {
		switch (letter) {
		case 'f':
			request.fake = true;
			break;
		case 'n': // There is no mtab that we would write.
			break;
		case 's':
			request.sloppy = true;
			break;
		case 'v':
			request.verbose = true;
			break;
		case 'o':
			refuse_plain_id(optarg);
			options += options.empty() ? "" : ",";
			options += optarg;
			break;
		case 't':
			if (std::strcmp(optarg, "erofs-share") != 0)
				refuse(std::string("type '") + optarg +
				       "': expected erofs-share, which has no "
				       "subtypes");
			break;
		case 'N':
			request.target_namespace = optarg;
			break;
		default:
			refuse(std::string("option -") +
			       static_cast<char>(optopt) +
			       " is unknown or lacks its value; " +
			       mount_usage());
		}
	}
	if (count - optind != 2)
		refuse(mount_usage());
	request.source = arguments[static_cast<std::size_t>(optind)];
	request.target = arguments[static_cast<std::size_t>(optind) + 1];
	check_options(options);
	if (!options.empty())
		take_options(options.data(), request);
	if (request.domain_id_file.empty() && !request.remount)
		refuse("no domain to share with: add -o domain_id_file=PATH, a "
		       "file with its id that only root can read (or use -t "
		       "erofs to mount without sharing)");
	return request;
}

} // namespace erofs_share
