// SPDX-License-Identifier: GPL-2.0-only
// Watching a sound image beside hostile ones.
#include "content/sound_image.h"

#include "base/error.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace erofs_share {

std::vector<std::vector<std::byte>> contents_of(const Tree &tree)
{
	std::vector<std::vector<std::byte>> contents;

	for (const FileSpec &file : tree.files) {
		contents.emplace_back(file.size);
		fill_content(file, 0, contents.back());
	}
	return contents;
}

SoundImage::SoundImage(Mount mount, const Tree &tree,
		       const std::vector<std::vector<std::byte>> &contents)
    : mount_(std::move(mount)), tree_(tree), contents_(contents)
{
	for (const FileSpec &file : tree_.files)
		files_.push_back(open_file(mount_.at(file.path), O_RDONLY));
}

void SoundImage::drop_cache() const
{
	for (const UniqueFd &fd : files_)
		posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

std::string SoundImage::damage() const
{
	return read_all(true);
}

std::string SoundImage::unreadable() const
{
	return read_all(false);
}

std::string SoundImage::read_all(bool compare) const
{
	std::vector<std::byte> buffer(65536);

	for (std::size_t i = 0; i < files_.size(); i++) {
		const std::vector<std::byte> &wanted = contents_[i];
		const std::string &path = tree_.files[i].path;
		// A byte more: no file may have got longer.
		const ssize_t got = pread(files_[i].get(), buffer.data(),
					  wanted.size() + 1, 0);

		if (got < 0)
			return "reading " + path + ": " +
			       std::generic_category().message(errno);
		if (static_cast<std::size_t>(got) != wanted.size())
			return path + " has " + std::to_string(got) +
			       " bytes instead of " +
			       std::to_string(wanted.size());
		if (compare && !wanted.empty() &&
		    std::memcmp(buffer.data(), wanted.data(), wanted.size()) !=
			    0)
			return difference(
				std::span(buffer).first(wanted.size()),
				tree_.files[i]);
	}
	return "";
}

} // namespace erofs_share
