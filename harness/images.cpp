// SPDX-License-Identifier: GPL-2.0-only
// Finding the test images in the guest.
#include "images.h"

#include "error.h"
#include "fd.h"

#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <sys/mount.h>
#include <sys/stat.h>

namespace erofs_share {

namespace {

constexpr const char *kStore = "/images";

Mount mount_store()
{
	const std::optional<std::string> disk = find_disk("images");

	if (!disk)
		throw_error(ENODEV, "a disk with serial 'images'");
	if (mkdir(kStore, 0755) != 0 && errno != EEXIST)
		throw_errno(std::string("mkdir ") + kStore);
	return mount_other("ext4", *disk, kStore, MS_RDONLY, "noload");
}

} // namespace

std::optional<std::string> find_disk(const std::string &serial)
{
	namespace fs = std::filesystem;

	for (const auto &entry : fs::directory_iterator("/sys/block")) {
		const fs::path file = entry.path() / "serial";

		if (!fs::exists(file))
			continue;
		std::string text = read_text(file.string());
		while (!text.empty() && text.back() == '\n')
			text.pop_back();
		if (text == serial)
			return "/dev/" + entry.path().filename().string();
	}
	return std::nullopt;
}

std::string Image::disk() const
{
	const std::optional<std::string> path = find_disk(name);

	if (!path)
		throw_error(ENODEV, "a disk with serial '" + name + "'");
	return *path;
}

std::string Image::file() const
{
	return std::string(kStore) + "/" + name + ".erofs";
}

ImageStore::ImageStore() : mount_(mount_store())
{
	std::istringstream lines(read_text(mount_.at("index")));
	std::string name;
	std::string tree;

	while (lines >> name >> tree)
		images_.push_back({name, &find_tree(tree)});
}

const Image &ImageStore::find(const std::string &name) const
{
	for (const Image &image : images_)
		if (image.name == name)
			return image;
	throw std::out_of_range("no test image called " + name);
}

} // namespace erofs_share
