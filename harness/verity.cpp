// SPDX-License-Identifier: GPL-2.0-only
// Recognising dm-verity devices.
#include "verity.h"

#include "fd.h"

#include <algorithm>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>

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

bool is_verity_device(dev_t device)
{
	try {
		return read_text("/sys/dev/block/" +
				 std::to_string(major(device)) + ":" +
				 std::to_string(minor(device)) + "/dm/uuid")
			.starts_with(kUuidStart);
	} catch (const std::system_error &) {
		// No device mapper's, or no sysfs.
		return false;
	}
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
