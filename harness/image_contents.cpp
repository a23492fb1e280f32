// SPDX-License-Identifier: GPL-2.0-only
// The contents of an image that is not mounted.
#include "image_contents.h"

#include "child.h"
#include "erofs_utils.h"
#include "error.h"

#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

std::string new_directory()
{
	const char *base = std::getenv("TMPDIR");
	std::string path =
		fs::absolute(base != nullptr && *base != '\0' ? base
							      : "/var/tmp")
			.string() +
		"/erofs-share.XXXXXX";

	if (mkdtemp(path.data()) == nullptr)
		throw_errno("make a directory " + path +
			    " to extract an image to; set TMPDIR to one with "
			    "space");
	return path;
}

} // namespace

ImageContents::ImageContents(const std::string &image,
			     const std::vector<std::string> &devices,
			     ContentsBy by)
{
	try {
		if (by == ContentsBy::kKernel || !extract(image, devices))
			mount(image, devices, by);
	} catch (...) {
		remove_temporary();
		throw;
	}
}

ImageContents::~ImageContents()
{
	remove_temporary();
}

void ImageContents::remove_temporary()
{
	std::error_code ignored;

	if (!temporary_.empty())
		fs::remove_all(temporary_, ignored);
}

bool ImageContents::extract(const std::string &image,
			    const std::vector<std::string> &devices)
{
	const auto fsck = find_program("fsck.erofs");
	if (!fsck)
		return false;
	temporary_ = new_directory();
	root_ = temporary_ + "/image";
	std::vector<std::string> command = {*fsck, "--extract=" + root_,
					    "--no-preserve"};
	for (const std::string &device : devices)
		command.push_back("--device=" + fs::absolute(device).string());
	command.push_back(fs::absolute(image).string());
	const ProgramResult result = run_program("/", command, Capture::kAll);
	if (result.status != 0)
		throw_error(EIO, image + ": fsck.erofs could not extract it (" +
					 last_line(result.output) +
					 "); expected a sound image" +
					 (devices.empty()
						  ? ", --device= for data that "
						    "is elsewhere,"
						  : "") +
					 " and space in " + temporary_);
	return true;
}

void ImageContents::mount(const std::string &image,
			  const std::vector<std::string> &devices,
			  ContentsBy by)
{
	MountOptions options;

	if (geteuid() != 0)
		throw_error(ENOENT,
			    by == ContentsBy::kKernel
				    ? image + ": not all of its fragments are "
					      "as they should be to "
					      "fsck.erofs, which reads some "
					      "wrong (1.9.4 does); run this as "
					      "root, to have the kernel read "
					      "them"
				    : image + ": to read the contents, "
					      "fsck.erofs is needed; install "
					      "erofs-utils, or run this as "
					      "root");
	const auto block_device = [&](const std::string &file) {
		struct stat status {};

		if (stat(file.c_str(), &status) == 0 && S_ISBLK(status.st_mode))
			return file;
		return loops_.emplace_back(file).path();
	};
	try {
		for (const std::string &device : devices)
			options.extra.push_back("device=" +
						block_device(device));
		mount_ = mount_erofs(block_device(image), options);
	} catch (const std::system_error &error) {
		throw_error(error.code().value(),
			    image +
				    ": cannot be mounted here to read its "
				    "contents (" +
				    error.what() + ")");
	}
	root_ = mount_->path();
}

} // namespace erofs_share
