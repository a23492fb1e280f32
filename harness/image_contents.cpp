// SPDX-License-Identifier: GPL-2.0-only
// The contents of an image that is not mounted.
#include "image_contents.h"

#include "child.h"
#include "erofs_utils.h"
#include "error.h"
#include "quote.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

/// The command that extracts @image, with its data on @devices, by @fsck to
/// @target; options may follow.
std::vector<std::string> fsck_command(const std::string &fsck,
				      const std::string &image,
				      const std::vector<std::string> &devices,
				      const std::string &target)
{
	std::vector<std::string> command = {fsck, "--extract=" + target,
					    "--no-preserve"};

	for (const std::string &device : devices)
		command.push_back("--device=" + fs::absolute(device).string());
	command.push_back(fs::absolute(image).string());
	return command;
}

} // namespace

ImageContents::ImageContents(const std::string &image,
			     const std::vector<std::string> &devices,
			     ContentsBy by)
{
	if (by == ContentsBy::kKernel || !extract(image, devices))
		mount(image, devices, by);
}

bool ImageContents::extract(const std::string &image,
			    const std::vector<std::string> &devices)
{
	const auto fsck = find_fsck();
	if (!fsck)
		return false;
	temporary_.emplace();
	root_ = temporary_->path() + "/image";
	const ProgramResult result = run_program(
		"/", fsck_command(*fsck, image, devices, root_), Capture::kAll);
	if (result.status != 0)
		throw_error(EIO, quote_name(image) +
					 ": fsck.erofs could not extract it (" +
					 last_line(result.output) +
					 "); expected a sound image and space "
					 "in " +
					 quote_name(temporary_->path()));
	if (geteuid() != 0)
		temporary_->make_readable();
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
				    ? quote_name(image) +
					      ": not all of its fragments are "
					      "as they should be to "
					      "fsck.erofs, which reads some "
					      "wrong (1.9.4 does); run this as "
					      "root, to have the kernel read "
					      "them"
				    : quote_name(image) +
					      ": to read the contents, " +
					      fsck_wanted() +
					      ", or run this as root, to "
					      "have the kernel read them");
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
			    quote_name(image) +
				    ": cannot be mounted here to read its "
				    "contents (" +
				    error.what() + ")");
	}
	root_ = mount_->path();
}

ExtractedFiles::ExtractedFiles(const std::string &image,
			       const std::vector<std::string> &devices)
    : path_(directory_.path() + "/file")
{
	const auto fsck = find_fsck();

	if (!fsck)
		throw_error(ENOENT, quote_name(image) +
					    ": to read single files, " +
					    fsck_wanted());
	command_ = fsck_command(*fsck, image, devices, path_);
}

std::optional<std::string> ExtractedFiles::extract(std::uint64_t nid)
{
	std::vector<std::string> command = command_;
	std::error_code ignored;

	fs::remove_all(path_, ignored);
	command.push_back("--nid=" + std::to_string(nid));
	if (run_program("/", command, Capture::kAll).status != 0)
		return std::nullopt;
	if (geteuid() != 0)
		directory_.make_readable();
	return path_;
}

} // namespace erofs_share
