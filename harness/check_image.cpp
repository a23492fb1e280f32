// SPDX-License-Identifier: GPL-2.0-only
// Comparing an image's fingerprints with its contents.
#include "check_image.h"

#include "content_hash.h"
#include "erofs_reader.h"
#include "image_contents.h"

#include <ostream>

namespace erofs_share {

namespace {

/// Paths of those of @files whose contents do not have their fingerprint.
std::vector<std::string> wrong_files(const std::vector<ErofsFile> &files,
				     const ImageContents &contents,
				     const std::string &name)
{
	std::vector<HashJob> jobs;
	std::vector<std::string> wrong;

	jobs.reserve(files.size());
	for (const ErofsFile &file : files)
		jobs.push_back(
			{contents.root() + "/" + file.path, file.size, true});
	const std::vector<std::string> digests = hash_files(jobs, name);
	for (std::size_t i = 0; i < files.size(); i++)
		if (!files[i].fingerprint.empty() &&
		    files[i].fingerprint != digests[i])
			wrong.push_back(files[i].path);
	return wrong;
}

} // namespace

ImageCheck check_image(const std::string &image,
		       const std::vector<std::string> &devices)
{
	const ErofsImage reader(image);
	ImageCheck check = {.image = image,
			    .attribute = reader.fingerprint_name(),
			    .files = 0,
			    .missing = {},
			    .wrong = {}};
	std::vector<ErofsFile> files = reader.files();

	// The kernel attaches no empty file.
	std::erase_if(files,
		      [](const ErofsFile &file) { return file.size == 0; });
	check.files = files.size();
	if (!check.attribute)
		return check;

	for (const ErofsFile &file : files)
		if (file.fingerprint.empty())
			check.missing.push_back(file.path);
	check.wrong = wrong_files(files, ImageContents(image, devices), image);
	// fsck.erofs 1.9.4 does not read all fragments right: ask the kernel.
	if (!check.wrong.empty() && reader.has_fragments())
		check.wrong = wrong_files(
			files,
			ImageContents(image, devices, ContentsBy::kKernel),
			image);
	return check;
}

void print_check(const ImageCheck &check, std::ostream &out)
{
	if (!check.attribute)
		out << check.image << ": no fingerprints; mounted with "
		    << "inode_share it shares nothing\n";
	else
		out << check.image << ": " << check.files << " files, "
		    << check.files - check.missing.size() - check.wrong.size()
		    << " with the right fingerprint (" << *check.attribute
		    << ")\n";
	for (const std::string &path : check.missing)
		out << "missing: " << path << '\n';
	for (const std::string &path : check.wrong)
		out << "WRONG: " << path << '\n';
	if (!check.wrong.empty())
		out << "Do not mount this image in a domain: others would read "
		       "its contents for their own, or theirs would be read "
		       "here.\n";
	if (!check.right())
		out << "To make it with fingerprints (erofs-utils 1.9 or "
		       "newer):\n    fsck.erofs --extract=DIR "
		    << check.image
		    << "\n    mkfs.erofs --xattr-inode-digest="
		       "trusted.erofs.fingerprint NEW-IMAGE DIR\n";
}

} // namespace erofs_share
