// SPDX-License-Identifier: GPL-2.0-only
// Extended attributes of the tree "attributes": what the host writes into an
// archive for mkfs.erofs, and what the guest must find in the image, whatever
// its kernel. An archive, because only root may set trusted and security
// attributes.
#pragma once

#include <string>
#include <vector>

namespace erofs_share {

/// One extended attribute.
struct Attribute {
	std::string name;
	std::string value;

	bool operator<(const Attribute &other) const
	{
		return name < other.name;
	}
};

/// A file or directory with attributes.
struct AttributedFile {
	std::string path; ///< relative to the tree; a directory's ends with "/"
	std::vector<Attribute> attributes; ///< in ascending order of names
};

/// The tree with the files of attributed_files(), made as an archive.
inline constexpr const char *kAttributeTree = "attributes";
/// The tree with the same files and directories, but only their user
/// attributes, made in a directory: mkfs.erofs shares no attributes between an
/// archive's files.
inline constexpr const char *kUserAttributeTree = "attr-user";

/// Everything in the tree "attributes". Names share prefixes of 2 to 200 bytes,
/// those that scripts/images/test-images gives to mkfs.erofs, are equal to a prefix or
/// have none of them. Some values are in three files, so that mkfs.erofs keeps
/// them in its shared area, others in one.
const std::vector<AttributedFile> &attributed_files();

/// Gives the files of kUserAttributeTree below @directory their attributes, and
/// makes its directories. Throws if it cannot.
void set_user_attributes(const std::string &directory);

/// The records of a pax header that give a member @attributes.
std::string attribute_records(const std::vector<Attribute> &attributes);

/// Writes the tree "attributes" as an archive in pax format to @path. Format:
/// POSIX.1-2001 pax, attributes as records SCHILY.xattr.NAME.
/// Throws if it cannot.
void write_attribute_archive(const std::string &path);

} // namespace erofs_share
