// SPDX-License-Identifier: GPL-2.0-only
// Comparing an image's fingerprints with its contents.
#include "tool/check_image.h"

#include "base/error.h"
#include "base/quote.h"
#include "erofs/erofs_reader.h"
#include "erofs/erofs_utils.h"
#include "tool/image_contents.h"

#include <system_error>

namespace erofs_share {

namespace {

/// Compares @files, which all have a fingerprint, with their contents.
void compare(const ErofsImage &image, const std::vector<ErofsFile> &files,
	     const ContentsOptions &options, ImageCheck &check)
{
	const ImageDigests found =
		hash_image(image, check.devices, files, options);

	for (std::size_t i = 0; i < files.size(); i++)
		if (!found.unreadable[i].empty())
			check.not_compared.push_back(
				{files[i].path, found.unreadable[i]});
		else if (files[i].fingerprint != found.digests[i])
			check.wrong.push_back(files[i].path);
	// fsck.erofs 1.9.4 does not read all fragments right: only the kernel
	// can tell.
	if (!check.wrong.empty() && check.fragments && found.by_program)
		throw_error(ENOENT,
			    quote_name(check.image) +
				    ": not all of its fragments are as they "
				    "should be to fsck.erofs, which reads some "
				    "wrong (1.9.4 does); run this as root, to "
				    "have the kernel read them");
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

/// Refuses devices that the image does not have, and fewer than it has; none at
/// all may be right, and is left to who reads them.
void check_devices(const ImageCheck &check)
{
	const std::size_t given = check.devices.size();

	if (given == check.extra_devices || given == 0)
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
		       const std::vector<std::string> &devices,
		       const ContentsOptions &options)
{
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

	check_devices(check);
	std::vector<ErofsFile> files = reader.files();
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
	if (!files.empty())
		compare(reader, files, options, check);
	return check;
}

} // namespace erofs_share
