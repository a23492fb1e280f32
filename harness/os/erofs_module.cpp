// SPDX-License-Identifier: GPL-2.0-only
// Telling one erofs from another: only ours has a version.
#include "os/erofs_module.h"

#include "base/fd.h"

#include <array>
#include <filesystem>
#include <sstream>
#include <system_error>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

/// The first line of @path; "" if it cannot be read.
std::string first_line(const std::string &path)
{
	try {
		std::string text = read_text(path);

		return text.substr(0, text.find('\n'));
	} catch (const std::system_error &) {
		return "";
	}
}

bool is_registered(const std::string &filesystems)
{
	try {
		std::istringstream words(read_text(filesystems));

		for (std::string word; words >> word;)
			if (word == "erofs")
				return true;
	} catch (const std::system_error &) {
		// No /proc.
	}
	return false;
}

/// Whether DKMS, or somebody by hand, installed a module beside the kernel's.
bool is_installed(const std::string &root)
{
	const std::string release =
		first_line(root + "/proc/sys/kernel/osrelease");
	const std::string updates =
		root + "/lib/modules/" + release + "/updates/";
	std::error_code error;

	for (const char *where : {"dkms/erofs.ko", "erofs.ko"})
		for (const char *packed : {"", ".xz", ".zst", ".gz"})
			if (fs::exists(updates + where + packed, error))
				return true;
	return false;
}

} // namespace

ErofsModule find_erofs_module(const std::string &root)
{
	ErofsModule module;

	module.version = first_line(root + "/sys/module/erofs/version");
	if (!module.version.empty())
		module.kind = ErofsKind::kOurs;
	else if (is_registered(root + "/proc/filesystems"))
		module.kind = ErofsKind::kOther;
	module.installed = is_installed(root);
	return module;
}

std::string advice_on(const ErofsModule &module)
{
	switch (module.kind) {
	case ErofsKind::kOurs:
		return "";
	case ErofsKind::kOther:
		return module.installed
			       ? "the erofs module that is loaded is the "
				 "kernel's own, though the one that shares is "
				 "installed: unmount all of erofs and run "
				 "modprobe -r erofs && modprobe erofs, or "
				 "reboot"
			       : "the erofs module that is loaded is the "
				 "kernel's own: install "
				 "erofs-inode-share-dkms, "
				 "unmount all of erofs, and run modprobe -r "
				 "erofs && modprobe erofs, or reboot";
	case ErofsKind::kNone:
		return module.installed
			       ? "no erofs module is loaded: modprobe erofs"
			       : "no erofs module is loaded, and the one that "
				 "shares is not installed for this kernel: "
				 "install erofs-inode-share-dkms";
	}
	return "";
}

} // namespace erofs_share
