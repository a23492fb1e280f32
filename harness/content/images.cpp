// SPDX-License-Identifier: GPL-2.0-only
// Finding the test images in the guest.
#include "content/images.h"

#include "base/error.h"
#include "base/fd.h"
#include "machine/overlay.h"
#include "os/loop_device.h"

#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <sys/mount.h>
#include <sys/stat.h>
#include <system_error>

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

/// The block device of every serial that there is.
std::map<std::string, std::string> serials()
{
	namespace fs = std::filesystem;
	std::map<std::string, std::string> disks;

	for (const auto &entry : fs::directory_iterator("/sys/block")) {
		const fs::path file = entry.path() / "serial";

		if (!fs::exists(file))
			continue;
		std::string text = read_text(file.string());
		while (!text.empty() && text.back() == '\n')
			text.pop_back();
		disks[text] = "/dev/" + entry.path().filename().string();
	}
	return disks;
}

constexpr std::uintmax_t kPage = 4096;

bool ends_inside_page(const std::string &file)
{
	return std::filesystem::file_size(file) % kPage != 0;
}

/// Whether @image can be mounted by @mounted, and all of it read, without EIO.
bool reads_whole(const Image &image, const std::function<Mount()> &mounted)
{
	try {
		const Mount mount = mounted();

		for (const FileSpec &file : image.tree->files)
			difference(mount.at(file.path), file, 0, file.size);
		return true;
	} catch (const std::system_error &error) {
		if (error.code().value() != EIO)
			throw;
		return false;
	}
}

/// Copies @file into @directory, with zeroes behind it up to the end of its
/// last page. Returns the copy's path.
std::string copy_of_whole_pages(const std::string &file,
				const std::string &directory)
{
	namespace fs = std::filesystem;
	const fs::path copy = fs::path(directory) / fs::path(file).filename();

	fs::copy_file(file, copy);
	fs::resize_file(copy,
			(fs::file_size(copy) + kPage - 1) / kPage * kPage);
	return copy.string();
}

/// Mounts @image from copies of its files in @directory that end with a whole
/// page. Throws.
Mount mount_of_whole_pages(const Image &image, const std::string &directory)
{
	MountOptions options;

	if (image.has_blob)
		options.extra.push_back(
			"device=" +
			copy_of_whole_pages(image.blob_file(), directory));
	return mount_erofs(copy_of_whole_pages(image.file(), directory),
			   options);
}

} // namespace

std::optional<std::string> find_disk(const std::string &serial)
{
	// A serial is a request to the device. A guest's disks do not change.
	static const std::map<std::string, std::string> kDisks = serials();
	const auto found = kDisks.find(serial);

	if (found == kDisks.end())
		return std::nullopt;
	return found->second;
}

std::string disk_called(const std::string &serial)
{
	const std::optional<std::string> path = find_disk(serial);

	if (!path)
		throw_error(ENODEV, "a disk with serial '" + serial + "'");
	return *path;
}

std::string Image::disk() const
{
	return disk_called(name);
}

std::string Image::blob_disk() const
{
	return disk_called(name + ".blob");
}

std::string Image::file() const
{
	return std::string(kStore) + "/" + name + ".erofs";
}

std::string Image::blob_file() const
{
	return std::string(kStore) + "/" + name + ".blob";
}

std::pair<std::optional<Mount>, MountOutcome>
try_mount_image(const Image &image, Via via, const MountOptions &options)
{
	MountOptions all = options;
	// A loop device that is in use when it is detached stays until it is
	// not: these live on with the mount.
	std::vector<LoopDevice> loops;
	const auto source = [&](bool blob) {
		switch (via) {
		case Via::kDisk:
			return blob ? image.blob_disk() : image.disk();
		case Via::kLoop:
			loops.emplace_back(blob ? image.blob_file()
						: image.file());
			return loops.back().path();
		case Via::kFile:
			break;
		}
		return blob ? image.blob_file() : image.file();
	};

	if (image.has_blob)
		all.extra.push_back("device=" + source(true));
	return try_mount_erofs(source(false), all);
}

Mount mount_image(const Image &image, Via via, const MountOptions &options)
{
	auto [mounted, outcome] = try_mount_image(image, via, options);

	if (!mounted)
		throw_error(outcome.error, "mount image " + image.name + ": " +
						   outcome.text());
	return std::move(*mounted);
}

bool fails_in_last_page(const Image &image)
{
	if (!ends_inside_page(image.file()) &&
	    !(image.has_blob && ends_inside_page(image.blob_file())))
		return false;
	if (reads_whole(image, [&] { return mount_image(image, Via::kFile); }))
		return false;

	const TemporaryDirectory directory;
	// No tmpfs: erofs takes files of file systems with ->read_folio() only.
	const Mount ram =
		mount_other("ramfs", "ramfs", directory.path(), 0, "");

	return reads_whole(image, [&] {
		return mount_of_whole_pages(image, directory.path());
	});
}

ImageStore::ImageStore() : mount_(mount_store())
{
	std::istringstream lines(read_text(mount_.at("index")));
	std::string line;

	while (std::getline(lines, line)) {
		std::istringstream words(line);
		std::string name;
		std::string tree;
		std::string blob;

		words >> name >> tree >> blob;
		images_.push_back({name, &find_tree(tree), blob == "blob"});
	}
}

const Image &ImageStore::find(const std::string &name) const
{
	for (const Image &image : images_)
		if (image.name == name)
			return image;
	throw std::out_of_range("no test image called " + name);
}

} // namespace erofs_share
