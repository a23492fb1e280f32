// SPDX-License-Identifier: GPL-2.0-only
// Images that are no disks of the guest.
#include "support/case_image.h"

#include "base/fd.h"
#include "fuzz/mutator.h"
#include "os/loop_device.h"

#include <fcntl.h>
#include <filesystem>

namespace erofs_share {

std::string case_file(const std::string &name)
{
	return "/images/cases/" + name + ".erofs";
}

Mount mount_case(const std::string &file, const MountOptions &options,
		 const std::vector<std::string> &devices)
{
	MountOptions all = options;
	std::vector<LoopDevice> loops;

	for (const std::string &device : devices) {
		loops.emplace_back(device, LoopIo::kBuffered);
		all.extra.push_back("device=" + loops.back().path());
	}
	loops.emplace_back(file, LoopIo::kBuffered);
	return mount_erofs(loops.back().path(), all);
}

std::vector<std::byte> file_bytes(const std::string &path)
{
	const UniqueFd from = open_file(path, O_RDONLY);
	std::vector<std::byte> bytes(std::filesystem::file_size(path));

	read_at(from.get(), bytes, 0, path);
	return bytes;
}

void write_patched(const std::string &path, std::vector<std::byte> image)
{
	mend_checksum(image);
	write_all(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600).get(),
		  image, path);
}

} // namespace erofs_share
