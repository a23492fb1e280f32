// SPDX-License-Identifier: GPL-2.0-only
// Comparing an image's fingerprints with its contents.
#include "check_image.h"

#include "content_hash.h"
#include "erofs_reader.h"
#include "erofs_utils.h"
#include "image_contents.h"
#include "quote.h"

#include <ostream>
#include <system_error>

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
		if (files[i].state == FingerprintState::kOne &&
		    files[i].fingerprint != digests[i])
			wrong.push_back(files[i].path);
	return wrong;
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

void print_files(const std::string &what, const std::vector<std::string> &paths,
		 std::ostream &out)
{
	for (const std::string &path : paths)
		out << what << ": " << quote_name(path) << '\n';
}

/// The commands that make @check's image anew.
void print_advice(const ImageCheck &check, std::ostream &out)
{
	out << "To make it with fingerprints (erofs-utils 1.9.2 or newer):\n"
	       "    fsck.erofs --extract=DIR";
	for (const std::string &device : check.devices)
		out << " --device=" << quote_name(device);
	out << ' ' << quote_name(check.image)
	    << "\n    mkfs.erofs --xattr-inode-digest NEW-IMAGE DIR\n"
	       "The first command is not needed where DIR, the tree that the "
	       "image was made of, is\nat hand. It leaves all extended "
	       "attributes out";
	if (check.attribute && !check.hidden)
		out << ", the old fingerprints with them;\n--xattrs would copy "
		       "those";
	out << ".\n";
}

} // namespace

ImageCheck check_image(const std::string &image,
		       const std::vector<std::string> &devices)
{
	const ErofsImage reader = open_image(image);
	ImageCheck check = {.image = image,
			    .devices = devices,
			    .attribute = reader.fingerprint_name(),
			    .hidden = reader.has_hidden_fingerprints(),
			    .files = 0,
			    .missing = {},
			    .ambiguous = {},
			    .unusable = {},
			    .wrong = {},
			    .not_compared = {}};
	std::vector<ErofsFile> files = reader.files();

	// The kernel attaches no empty file.
	std::erase_if(files,
		      [](const ErofsFile &file) { return file.size == 0; });
	check.files = files.size();
	if (!check.attribute)
		return check;

	for (const ErofsFile &file : files)
		sort_in(file, check);
	if (check.only_declared())
		return check;
	try {
		check.wrong = wrong_files(files, ImageContents(image, devices),
					  image);
	} catch (const std::system_error &error) {
		if (check.unusable.empty())
			throw;
		check.not_compared = error.what();
		return check;
	}
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
	out << quote_name(check.image) << ": ";
	if (!check.attribute)
		out << "no fingerprints; mounted with inode_share it shares "
		       "nothing\n";
	else if (check.only_declared())
		out << "it declares fingerprints (" << *check.attribute
		    << "), and none of its " << check.files
		    << " files has one;\nmounted with inode_share it shares "
		       "nothing. mkfs.erofs writes none into an index\n"
		       "(--tar=i), and loses hidden ones where it merges "
		       "layers.\n";
	else
		out << check.files << " files, "
		    << check.files - check.missing.size() -
				check.ambiguous.size() - check.unusable.size() -
				check.wrong.size()
		    << (check.not_compared.empty()
				? " with the right fingerprint ("
				: " with a fingerprint (")
		    << *check.attribute << ")\n";
	if (!check.only_declared())
		print_files("missing", check.missing, out);
	print_files("ambiguous", check.ambiguous, out);
	print_files("unusable", check.unusable, out);
	print_files("WRONG", check.wrong, out);
	if (!check.ambiguous.empty())
		out << "An ambiguous file has more than one attribute with the "
		       "name of the fingerprint:\nforged in an archive, or "
		       "copied with an older version of the file. It is not "
		       "shared.\n";
	if (!check.unusable.empty())
		out << "An unusable fingerprint is empty or too long, or the "
		       "file's attributes are damaged.\nThe file is not "
		       "shared.\n";
	if (!check.not_compared.empty())
		out << "Their contents were not compared: "
		    << quote_name(check.not_compared) << ".\n";
	if (!check.wrong.empty())
		out << "Do not mount this image in a domain: others would read "
		       "its contents for their own, or theirs would be read "
		       "here.\n";
	if (!check.right())
		print_advice(check, out);
}

} // namespace erofs_share
