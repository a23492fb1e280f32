// SPDX-License-Identifier: GPL-2.0-only
// Comparing an image's fingerprints with its contents.
#include "check_image.h"

#include "content_hash.h"
#include "erofs_reader.h"
#include "erofs_utils.h"
#include "error.h"
#include "image_contents.h"
#include "quote.h"

#include <system_error>

namespace erofs_share {

namespace {

/// Paths of those of @files, which all have a fingerprint, whose contents do
/// not have it.
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
		if (files[i].fingerprint != digests[i])
			wrong.push_back(files[i].path);
	return wrong;
}

/// The same file by file, for an image that is not to be extracted as a whole.
void compare_one_by_one(const std::vector<ErofsFile> &files, ImageCheck &check)
{
	ExtractedFiles extracted(check.image, check.devices);

	for (const ErofsFile &file : files) {
		const auto path = extracted.extract(file.nid);

		if (!path)
			check.not_compared.push_back(file.path);
		else if (hash_files({{*path, file.size, true}}, check.image)
				 .front() != file.fingerprint)
			check.wrong.push_back(file.path);
	}
}

/// Sorts @file by what its attributes say.
void sort_in(const ErofsFile &file, ImageCheck &check)
{
	switch (file.state) {
	case FingerprintState::kOne:
		break;
	case FingerprintState::kNone:
		check.missing.push_back(file.path);
		break;
	case FingerprintState::kAmbiguous:
		check.ambiguous.push_back(file.path);
		break;
	case FingerprintState::kUnusable:
		check.unusable.push_back(file.path);
		break;
	}
}

/// Whether @path is an image. Throws where it cannot be read.
bool is_image(const std::string &path)
{
	try {
		return ErofsImage::probe(path);
	} catch (const std::system_error &error) {
		throw_error(error.code().value(),
			    quote_name(path) + ": expected an erofs image");
	}
}

/// Refuses devices that the image does not have, and fewer than it has.
void check_devices(const ImageCheck &check)
{
	const std::size_t given = check.devices.size();

	if (given == check.extra_devices)
		return;
	if (check.extra_devices == 0)
		throw_error(EINVAL, quote_name(check.image) +
					    ": this image has no extra "
					    "devices, leave --device out");
	throw_error(EINVAL, quote_name(check.image) +
				    ": expected --device=FILE " +
				    std::to_string(check.extra_devices) +
				    " times, for the data that is not in the "
				    "image, in the order in which mkfs.erofs "
				    "got them");
}

} // namespace

ImageCheck check_image(const std::string &image,
		       const std::vector<std::string> &devices)
{
	if (!is_image(image))
		throw_error(EINVAL,
			    quote_name(image) + ": expected an erofs image");
	const ErofsImage reader = open_image(image);
	ImageCheck check = {.image = image,
			    .devices = devices,
			    .extra_devices = reader.extra_devices(),
			    .attribute = reader.fingerprint_name(),
			    .hidden = reader.has_hidden_fingerprints(),
			    .fragments = reader.has_fragments(),
			    .files = 0,
			    .missing = {},
			    .ambiguous = {},
			    .unusable = {},
			    .wrong = {},
			    .not_compared = {}};
	std::vector<ErofsFile> files = reader.files();

	if (check.extra_devices == 0)
		check_devices(check);
	// The kernel attaches no empty file.
	std::erase_if(files,
		      [](const ErofsFile &file) { return file.size == 0; });
	check.files = files.size();
	if (!check.attribute)
		return check;

	for (const ErofsFile &file : files)
		sort_in(file, check);
	std::erase_if(files, [](const ErofsFile &file) {
		return file.state != FingerprintState::kOne;
	});
	if (files.empty())
		return check;
	check_devices(check);
	try {
		check.wrong = wrong_files(files, ImageContents(image, devices),
					  image);
	} catch (const std::system_error &) {
		// To fsck.erofs, an unusable fingerprint is damage.
		if (check.unusable.empty() || !find_fsck())
			throw;
		compare_one_by_one(files, check);
	}
	// fsck.erofs 1.9.4 does not read all fragments right: ask the kernel.
	if (!check.wrong.empty() && check.fragments) {
		check.not_compared.clear();
		check.wrong = wrong_files(
			files,
			ImageContents(image, devices, ContentsBy::kKernel),
			image);
	}
	return check;
}

} // namespace erofs_share
