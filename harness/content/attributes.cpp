// SPDX-License-Identifier: GPL-2.0-only
// The tree "attributes" and its archive.
#include "content/attributes.h"

#include "base/error.h"
#include "base/fd.h"
#include "content/content.h"
#include "content/tar_archive.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <span>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace erofs_share {

namespace {

/// A prefix that leaves little of the 255 bytes that a name may have.
std::string long_prefix()
{
	return "user." + std::string(190, 'L') + ".";
}

/// In three files each: mkfs.erofs keeps these once.
std::vector<Attribute> common()
{
	return {
		{"security.erofs.test.label", "one label for all"},
		{"trusted.overlay.opaque", "y"},
		{"user.plain", "no long prefix"},
		{"user.x.common", "shared"},
	};
}

AttributedFile make_file(const std::string &path, bool with_common,
			 std::vector<Attribute> own)
{
	if (with_common)
		for (Attribute &attribute : common())
			own.push_back(std::move(attribute));
	std::sort(own.begin(), own.end());
	return {path, std::move(own)};
}

/// More attributes than fit into a block, so that some cross its end.
std::vector<Attribute> make_many_attributes()
{
	std::vector<Attribute> many;

	for (int i = 0; i < 48; ++i) {
		const std::string number = std::to_string(100 + i);
		const std::string base =
			i % 3 == 0
				? "user.x." + number
				: (i % 3 == 1 ? "trusted.longer.name.prefix." +
							number
					      : "user.unprefixed" + number);

		// No more than 4096 bytes of user attributes, or the host's
		// ext4 could not hold them.
		many.push_back({base, number + std::string(i % 3 == 1 ? 150 + i
								      : 20 + i,
							   'v')});
	}
	return many;
}

/// A pax record: its own length, a space, "key=value", a line feed.
std::string pax_record(const Attribute &attribute)
{
	const std::string rest = " SCHILY.xattr." + attribute.name + "=" +
				 attribute.value + "\n";
	std::size_t length = rest.size();

	while (length != rest.size() + std::to_string(length).size())
		length = rest.size() + std::to_string(length).size();
	return std::to_string(length) + rest;
}

void append_member(std::string &archive, const AttributedFile &file)
{
	const bool directory = file.path.back() == '/';
	const std::string records = attribute_records(file.attributes);
	std::string data;

	archive += tar_header("pax", records.size(), 'x');
	tar_append(archive, records);
	if (!directory) {
		const FileSpec &spec =
			find_tree(kAttributeTree).file(file.path);

		data.resize(spec.size);
		fill_content(spec, 0, std::as_writable_bytes(std::span(data)));
	}
	archive += tar_header(file.path, data.size(), directory ? '5' : '0');
	tar_append(archive, data);
}

} // namespace

const std::vector<AttributedFile> &attributed_files()
{
	static const std::vector<AttributedFile> kFiles = {
		make_file("directory/", true, {{"user.x.on-a-directory", "1"}}),
		make_file("first", true,
			  {{"user.x.only-here", "first"},
			   {"user.x", "named like a prefix without its dot"},
			   {"user.xx", "a namesake in no prefix"},
			   {"trusted.longer.name.prefix.a", "1"},
			   {"trusted.longer.name.prefix.b", ""},
			   {long_prefix() + "name", "behind 196 bytes"}}),
		make_file("second", true,
			  {{"user.x.only-here", "second"},
			   {"user.x.", "nothing but the prefix"},
			   {"trusted.x.only-here", "another namespace"},
			   {"security.erofs.test.own", std::string(700, 's')}}),
		make_file("many", false, make_many_attributes()),
	};

	return kFiles;
}

void set_user_attributes(const std::string &directory)
{
	const std::array<timespec, 2> times = {
		{{1700000000, 0}, {1700000000, 0}}};

	for (const AttributedFile &file : attributed_files()) {
		const std::string path = directory + "/" + file.path;

		if (file.path.back() == '/')
			std::filesystem::create_directories(path);
		for (const auto &[name, value] : file.attributes)
			if (name.starts_with("user.") &&
			    setxattr(path.c_str(), name.c_str(), value.data(),
				     value.size(), 0) != 0)
				throw_errno(std::string("setxattr ")
						    .append(name)
						    .append(" ")
						    .append(path));
		if (utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0)
			throw_errno("utimensat " + path);
	}
}

std::string attribute_records(const std::vector<Attribute> &attributes)
{
	std::string records;

	for (const Attribute &attribute : attributes)
		records += pax_record(attribute);
	return records;
}

void write_attribute_archive(const std::string &path)
{
	const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	std::string archive;

	for (const AttributedFile &file : attributed_files())
		append_member(archive, file);
	archive += tar_end();
	write_all(fd.get(), std::as_bytes(std::span(archive)), path);
}

} // namespace erofs_share
