// SPDX-License-Identifier: GPL-2.0-only
// The tree "devices" as an archive.
#include "content/device_archive.h"

#include "base/fd.h"
#include "content/content.h"
#include "content/tar_archive.h"

#include <fcntl.h>
#include <span>

namespace erofs_share {

namespace {

/// As the module has it.
constexpr unsigned int kSwapMappingMajor = 120;

} // namespace

void write_device_archive(const std::string &path)
{
	const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	std::string archive =
		tar_device(kSwapMappingNode, kSwapMappingMajor, 0);

	for (const FileSpec &file : find_tree(kDeviceTree).files) {
		std::string data(file.size, '\0');

		fill_content(file, 0, std::as_writable_bytes(std::span(data)));
		archive += tar_header(file.path, data.size(), '0');
		tar_append(archive, data);
	}
	archive += tar_end();
	write_all(fd.get(), std::as_bytes(std::span(archive)), path);
}

} // namespace erofs_share
