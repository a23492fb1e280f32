// SPDX-License-Identifier: GPL-2.0-only
// Recognising dm-verity devices.
#include "helper/verity.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::string_view kUuidStart = "CRYPT-VERITY-";
constexpr std::string_view kDeviceOption = "device=";

bool is_verity_path(const std::string &path)
{
	struct stat info {};

	return stat(path.c_str(), &info) == 0 && S_ISBLK(info.st_mode) &&
	       is_verity_device(info.st_rdev);
}

} // namespace

UniqueFd open_block_devices()
{
	return UniqueFd(
		open("/sys/dev/block", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool is_verity_device(dev_t device)
{
	return is_verity_device(device, open_block_devices());
}

bool is_verity_device(dev_t device, const UniqueFd &devices)
{
	const std::string name = std::to_string(major(device)) + ":" +
				 std::to_string(minor(device)) + "/dm/uuid";
	const UniqueFd uuid(
		openat(devices.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
	std::array<char, kUuidStart.size()> start{};

	// No device mapper's, or no sysfs.
	if (!devices.valid() || !uuid.valid())
		return false;
	return read(uuid.get(), start.data(), start.size()) ==
		       static_cast<ssize_t>(start.size()) &&
	       std::string_view(start.data(), start.size()) == kUuidStart;
}

bool all_under_verity(const MountRequest &request)
{
	return is_verity_path(request.source) &&
	       std::all_of(request.fs_options.begin(), request.fs_options.end(),
			   [](const std::string &option) {
				   return !option.starts_with(kDeviceOption) ||
					  is_verity_path(option.substr(
						  kDeviceOption.size()));
			   });
}

} // namespace erofs_share
