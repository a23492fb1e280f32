// SPDX-License-Identifier: GPL-2.0-only
// What is said of an image that was checked, and what to run.
#include "tool/check_image.h"

#include "base/quote.h"

#include <ostream>

namespace erofs_share {

namespace {

void print_files(const std::string &what, const std::vector<std::string> &paths,
		 std::ostream &out)
{
	for (const std::string &path : paths)
		out << what << ": " << quote_name(path) << '\n';
}

/// The name of a file as a word that a program takes for neither an option nor
/// a label.
std::string file_word(const std::string &name)
{
	const bool path = name.starts_with('/') || name.starts_with("./");

	return shell_word(path ? name : "./" + name);
}

/// The command that makes @check's image anew.
void print_advice(const ImageCheck &check, std::ostream &out)
{
	out << "To make it anew, with right fingerprints (erofs-utils 1.9.2 or "
	       "newer):\n"
	       "    erofs-share fingerprint";
	for (std::size_t i = 0; i < check.extra_devices; i++)
		out << " --device="
		    << (i < check.devices.size() ? shell_word(check.devices[i])
						 : "FILE");
	out << ' ' << file_word(check.image)
	    << " NEW-IMAGE\n"
	       "What mkfs.erofs is to do otherwise goes behind it, as in -- "
	       "-zlz4hc.\n";
	if (check.fragments)
		out << "Run it as root on Linux 6.12: the image has fragments, "
		       "of which fsck.erofs 1.9.4 and\nLinux 6.18 read some "
		       "wrong.\n";
	if (!check.wrong.empty())
		out << "The new image has what is in this one now, right or "
		       "not: find out first whose\ncontents these are.\n";
}

void print_summary(const ImageCheck &check, std::ostream &out)
{
	out << quote_name(check.image) << ": ";
	if (!check.attribute)
		out << "no fingerprints; mounted with inode_share it shares "
		       "nothing\n";
	else if (check.files == 0)
		out << "it declares fingerprints (" << *check.attribute
		    << "), and no regular file\nwith contents was seen in it: "
		       "there is nothing to compare, and mounted with\n"
		       "inode_share it shares nothing\n";
	else if (check.only_declared())
		out << "it declares fingerprints (" << *check.attribute
		    << "), and none of its " << check.files
		    << " files has one;\nmounted with inode_share it shares "
		       "nothing. mkfs.erofs writes none into an index\n"
		       "(--tar=i), and loses hidden ones where it merges "
		       "layers.\n";
	else
		out << check.files << " files, "
		    << check.compared() - check.wrong.size()
		    << " with the right fingerprint (" << *check.attribute
		    << ")\n";
}

/// What the words mean that files were listed with.
void explain(const ImageCheck &check, std::ostream &out)
{
	if (!check.ambiguous.empty() && check.hidden)
		out << "An ambiguous file has more than one attribute with the "
		       "name of the fingerprint:\nthe tar that the image was "
		       "made from carried it already, and mkfs.erofs added its "
		       "own.\nOnly a tar can carry a hidden one: do not trust "
		       "the tar. The file is not shared.\n";
	else if (!check.ambiguous.empty())
		out << "An ambiguous file has more than one attribute with the "
		       "name of the fingerprint:\nthe tree that the image was "
		       "made from carried the attribute already, right or not\n"
		       "(copied up by overlayfs, rsync -X, cp -a, or from a "
		       "tar), and mkfs.erofs added its\nown. The file is not "
		       "shared.\n";
	if (!check.unusable.empty())
		out << "An unusable fingerprint is empty or too long, or the "
		       "file's attributes are damaged.\nThe file is not "
		       "shared.\n";
}

/// Why the image must not be mounted in a domain, if that is so.
void print_warnings(const ImageCheck &check, std::ostream &out)
{
	if (!check.not_compared.empty())
		out << (check.compared() == 0
				? "No file of this image was compared with its "
				  "fingerprint; do not mount it in a\ndomain "
				  "before that."
				: "Not all files were compared with their "
				  "fingerprint; do not mount this image in a\n"
				  "domain before that.")
		    << '\n';
	if (check.wrong.empty())
		return;
	out << "Do not mount this image in a domain: others would read "
	       "its contents for their own, or theirs would be read "
	       "here.\n";
	if (check.fragments)
		out << "The image has fragments, and fsck.erofs 1.9.4 and some "
		       "kernels (Linux 6.18 is known)\nread some of them "
		       "wrong: "
		       "the image or this kernel may be wrong. It must not be "
		       "mounted\nin a domain before another kernel (6.12) says "
		       "otherwise.\n";
	if (check.wrong.size() == check.compared() && !check.devices.empty())
		out << "All files are wrong: are the devices in the right "
		       "order?\n";
}

} // namespace

void print_check(const ImageCheck &check, std::ostream &out)
{
	print_summary(check, out);
	if (!check.only_declared())
		print_files("missing", check.missing, out);
	print_files("ambiguous", check.ambiguous, out);
	print_files("unusable", check.unusable, out);
	for (const UnreadFile &file : check.not_compared)
		out << "not compared: " << quote_name(file.path) << " ("
		    << one_line(file.reason) << ")\n";
	print_files("WRONG", check.wrong, out);
	explain(check, out);
	print_warnings(check, out);
	if (!check.right() && (!check.attribute || check.files > 0))
		print_advice(check, out);
}

} // namespace erofs_share
