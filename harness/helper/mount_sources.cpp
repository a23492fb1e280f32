// SPDX-License-Identifier: GPL-2.0-only
// Looking at the files of a mount, and putting loop devices below them.
#include "helper/mount_sources.h"

#include "helper/mount_failure.h"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>

namespace erofs_share {

namespace {

constexpr std::string_view kDevice = "device=";

bool is_regular(const std::string &path)
{
	struct stat info {};

	return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

/// What to do when there is no loop device for the reason @error.
std::string remedy(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "; this kernel has no loop devices: modprobe loop";
	case EBUSY:
		return "; all loop devices are in use: losetup -a lists them";
	case EPERM:
	case EACCES:
		return "; only root, with access to /dev/loop-control, may "
		       "make loop devices";
	default:
		return "";
	}
}

} // namespace

std::string device_of(const std::string &option)
{
	return option.starts_with(kDevice) ? option.substr(kDevice.size()) : "";
}

MountSources::MountSources(const MountRequest &request)
    : image_(request.source), options_(request.fs_options)
{
	count(request, image_);
	for (const std::string &option : options_)
		if (option.starts_with(kDevice))
			count(request, device_of(option));
}

void MountSources::count(const MountRequest &request, const std::string &path)
{
	struct stat info {};

	if (stat(path.c_str(), &info) != 0)
		throw MountFailure(
			MountStatus::kFailed,
			request.target + ": " + path + ": " +
				std::generic_category().message(errno));
	if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
		throw MountFailure(MountStatus::kFailed,
				   request.target + ": " + path +
					   " is neither a regular file nor a "
					   "block device");
	files_ += S_ISREG(info.st_mode) ? 1 : 0;
	total_++;
}

void MountSources::use_loops(std::vector<std::string> &lines)
{
	const auto loop = [&](const std::string &path) {
		try {
			loops_.emplace_back(path);
		} catch (const std::system_error &error) {
			const int code = error.code().value();

			throw MountFailure(MountStatus::kSystem,
					   error.what() + remedy(code));
		}
		lines.push_back(path + " is " + loops_.back().path());
		return loops_.back().path();
	};

	if (is_regular(image_))
		image_ = loop(image_);
	for (std::string &option : options_)
		if (const std::string path = device_of(option);
		    !path.empty() && is_regular(path))
			option = std::string(kDevice) + loop(path);
	files_ = 0;
}

UniqueFd open_source(const std::string &path)
{
	const UniqueFd found(open(path.c_str(), O_PATH | O_CLOEXEC));
	struct stat info {};

	if (!found.valid() || fstat(found.get(), &info) != 0 ||
	    (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)))
		return {};
	return UniqueFd(
		open(("/proc/self/fd/" + std::to_string(found.get())).c_str(),
		     O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

} // namespace erofs_share
