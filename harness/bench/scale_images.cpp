// SPDX-License-Identifier: GPL-2.0-only
// Many small files as an archive: a directory of the host with a million files
// would take longer to make and to remove than to measure.
#include "bench/scale_images.h"

#include "base/fd.h"
#include "content/tar_archive.h"

#include <fcntl.h>
#include <span>

namespace erofs_share {

namespace {

constexpr std::uint64_t kPerDirectory = 1000;
constexpr std::size_t kPiece = std::size_t{1} << 20;

std::string content_of(const ScaleTree &tree, std::uint64_t number)
{
	std::string text =
		number < tree.common
			? "in every image "
			: "image " + std::to_string(tree.image) + " ";

	text += std::to_string(number) + "\n";
	text.resize(tree.size, 'x');
	return text;
}

} // namespace

std::string scale_path(std::uint64_t number)
{
	return "d" + std::to_string(number / kPerDirectory) + "/f" +
	       std::to_string(number);
}

void write_scale_archive(const ScaleTree &tree, const std::string &path)
{
	const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	std::string archive;
	const auto flush = [&] {
		write_all(fd.get(), std::as_bytes(std::span(archive)), path);
		archive.clear();
	};

	for (std::uint64_t number = 0; number < tree.files; number++) {
		if (number % kPerDirectory == 0)
			archive += tar_header(
				"d" + std::to_string(number / kPerDirectory) +
					"/",
				0, '5');
		archive += tar_header(scale_path(number), tree.size, '0');
		tar_append(archive, content_of(tree, number));
		if (archive.size() > kPiece)
			flush();
	}
	archive += tar_end();
	flush();
}

} // namespace erofs_share
