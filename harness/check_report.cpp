// SPDX-License-Identifier: GPL-2.0-only
// What is said of an image that was checked, and what to run.
#include "check_image.h"

#include "quote.h"

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

/// The commands that make @check's image anew, to be pasted into a shell. They
/// go through the kernel: what fsck.erofs extracts has no devices, no hard
/// links and no capabilities for who is not root, and for root it would put
/// setuid programs of anybody's where others reach them.
void print_advice(const ImageCheck &check, std::ostream &out)
{
	std::string options = "ro,nosuid,nodev,noexec,loop";

	out << "To make it with fingerprints, as root (bash, erofs-utils 1.9.2 "
	       "or newer):\n";
	for (std::size_t i = 0; i < check.extra_devices; i++) {
		const std::string name = "dev" + std::to_string(i + 1);

		out << "    " << name << "=$(losetup --read-only --find --show "
		    << (i < check.devices.size() ? file_word(check.devices[i])
						 : "FILE")
		    << ") &&\n";
		options += ",device=$" + name;
	}
	out << "    dir=$(mktemp -d) && mkdir \"$dir/image\" &&\n"
	       "    mount -t erofs -o "
	    << options << ' ' << file_word(check.image)
	    << " \"$dir/image\" &&\n"
	       "    mkfs.erofs --xattr-inode-digest NEW-IMAGE \"$dir/image\" "
	       "&&\n"
	       "    umount \"$dir/image\" && rm -d \"$dir/image\" \"$dir\"";
	for (std::size_t i = 0; i < check.extra_devices; i++)
		out << " &&\n    losetup --detach \"$dev" << i + 1 << '"';
	out << "\nOwners, modes, times, hard links, devices and attributes "
	       "stay what they are";
	if (check.attribute && !check.hidden)
		out << ";\nthe old " << *check.attribute
		    << ", too, as an attribute that no kernel goes by";
	out << ".\nCompression and block size are mkfs.erofs' default: add its "
	       "options. Where the tree\nthat the image was made of is at "
	       "hand, "
	       "that is simpler.\n";
	if (check.fragments)
		out << "The image has fragments: do this on a kernel that "
		       "reads "
		       "them right (Linux 6.12; 6.18\nreads some wrong), and "
		       "not "
		       "with what fsck.erofs 1.9.4 extracts.\n";
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
