// SPDX-License-Identifier: GPL-2.0-only
// The refusals of the kernel, one a row, with what an administrator can do.
#include "helper/mount_refusal.h"

#include "base/quote.h"
#include "os/erofs_module.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <span>
#include <system_error>

namespace erofs_share {

namespace {

/// A refusal that is known.
struct Refusal {
	std::string_view call; ///< how the failed call begins
	int error;	       ///< 0: any
	std::string_view said; ///< what the kernel's words have in them
	std::string_view text;
};

/// The first row that fits is the one.
constexpr std::array kRefusals = {
	Refusal{"fsopen", ENODEV, "",
		"this kernel has no erofs: install the modules of the running "
		"kernel and erofs-inode-share-dkms, then modprobe erofs"},
	Refusal{"fsopen", EPERM, "",
		"only root, with CAP_SYS_ADMIN in the initial user namespace, "
		"can mount an EROFS image"},
	Refusal{"fsopen", ENOSYS, "",
		"fsopen(2) is missing: the kernel is older than 5.2, or a "
		"container's filter forbids it"},
	Refusal{"fspick", EINVAL, "",
		"nothing is mounted at this very directory; name the one that "
		"the image is mounted on"},
	Refusal{"fspick", EPERM, "", "only root can remount"},
	Refusal{"fsconfig", 0, "another domain",
		"name the file with the id of the first mount's domain, or "
		"unmount all mounts of the image"},
	Refusal{"fsconfig", 0, "already, without inode_share",
		"find its mounts with findmnt -t erofs"},
	Refusal{"fsconfig", 0, "cannot change the domain",
		"leave domain_id_file out, or unmount and mount anew"},
	Refusal{"fsconfig", 0, "cannot be turned on by remount",
		"leave domain_id_file out, or unmount and mount anew"},
	Refusal{"fsconfig", 0, "DAX has no page cache",
		"leave out dax, or mount with -t erofs, without sharing"},
	Refusal{"fsconfig", 0, "extra devices",
		"name all devices of the image, as device=PATH, in the order "
		"in which mkfs.erofs got them"},
	Refusal{"fsconfig", 0, "blkszbits",
		"this kernel knows no blocks of that size: Linux 6.1 knows "
		"4096 bytes only; make the image with mkfs.erofs -b4096"},
	Refusal{"fsconfig", 0, "unidentified incompatible feature",
		"the image needs a newer kernel; make it without that feature"},
	Refusal{"fsconfig create", EBUSY, "",
		"the device is in use by another file system or program, see "
		"lsblk and losetup -a"},
	Refusal{"fsconfig create", ENOTBLK, "",
		"this kernel mounts block devices only, and no loop device "
		"was made"},
	Refusal{"fsconfig create", ENXIO, "",
		"the device is not there, or has no medium"},
	Refusal{"fsconfig create", ENOENT, "",
		"the image, or a device= of it, is not there"},
	Refusal{"fsconfig create", EACCES, "",
		"a security policy, or the device itself, forbids it"},
	Refusal{"fsconfig create", EPERM, "",
		"only root, with CAP_SYS_ADMIN in the initial user namespace, "
		"can mount an EROFS image"},
	Refusal{"fsconfig create", EOPNOTSUPP, "",
		"this kernel's erofs lacks what the image needs, such as its "
		"compression; mkfs.erofs -zlz4 makes one that all read"},
	Refusal{"fsconfig create", EBADMSG, "",
		"the checksum of its superblock is wrong: the image is "
		"damaged, copy or make it again"},
	Refusal{"fsconfig create", EUCLEAN, "",
		"the image is damaged, see erofs-share check; copy or make it "
		"again"},
	Refusal{"fsconfig create", EIO, "",
		"its data cannot be read: the device fails, or is shorter "
		"than the image"},
	Refusal{"move_mount", ENOENT, "",
		"the directory is not there any more"},
	Refusal{"move_mount", ENOSPC, "",
		"this mount namespace has too many mounts: raise the sysctl "
		"fs.mount-max"},
	Refusal{"move_mount", EINVAL, "",
		"the directory is not in this mount namespace"},
	Refusal{"move_mount", EPERM, "",
		"only root of the namespace that the directory is in may "
		"mount there"},
};

bool is_said(std::string_view what, const std::vector<std::string> &words)
{
	return what.empty() ||
	       std::any_of(words.begin(), words.end(),
			   [&](const std::string &line) {
				   return line.find(what) != std::string::npos;
			   });
}

} // namespace

std::string why_no_image(const std::string &source)
{
	constexpr std::array<std::byte, 4> kMagic = {
		std::byte{0xe2}, std::byte{0xe1}, std::byte{0xf5},
		std::byte{0xe0}};
	constexpr std::uint64_t kWhere = 1024;
	std::array<std::byte, 4> found{};

	try {
		const UniqueFd fd = open_file(source, O_RDONLY | O_NONBLOCK);

		read_at(fd.get(), found, kWhere, source);
	} catch (const std::system_error &) {
		// Whatever keeps us from looking is not the answer.
		return "";
	}
	return found == kMagic ? ""
			       : quote_name(source) +
					 " is no EROFS image: there is no "
					 "superblock at byte 1024; file(1) "
					 "tells what it is";
}

bool is_unknown_parameter(std::string_view words)
{
	return words.find("Unknown parameter") != std::string_view::npos;
}

std::vector<std::string> words_of(const MountOutcome &outcome,
				  const std::vector<std::string> &kernel_log)
{
	std::vector<std::string> words;

	// "e text", the letter being the level.
	for (const std::string &line : outcome.log)
		words.push_back(line.size() > 2 && line[1] == ' '
					? line.substr(2)
					: line);
	for (const std::string &line : kernel_log)
		if (line.starts_with("erofs"))
			words.push_back(line);
	return words;
}

std::string explain(const MountOutcome &outcome, const std::string &source,
		    const std::vector<std::string> &kernel_log)
{
	const auto words = words_of(outcome, kernel_log);
	const bool unknown = std::any_of(
		words.begin(), words.end(), [](const std::string &line) {
			return is_unknown_parameter(line);
		});

	if (unknown && outcome.call == "fsconfig inode_share") {
		const std::string advice = advice_on(find_erofs_module());

		return "the erofs that is loaded knows no inode_share" +
		       (advice.empty() ? "" : ": " + advice);
	}
	if (unknown)
		return "this kernel's erofs knows no such option: leave it "
		       "out, or have -s leave it out";
	if (outcome.call == "fsconfig create" && outcome.error == EINVAL)
		if (std::string why = why_no_image(source); !why.empty())
			return why;
	for (const Refusal &known : kRefusals)
		if (outcome.call.starts_with(known.call) &&
		    (known.error == 0 || known.error == outcome.error) &&
		    is_said(known.said, words))
			return std::string(known.text);
	if (outcome.call == "fsconfig create" && outcome.error == EINVAL &&
	    words.empty())
		return "this kernel's erofs does not take this image, and "
		       "does not say why; dmesg may";
	return "";
}

} // namespace erofs_share
