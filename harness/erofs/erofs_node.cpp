// SPDX-License-Identifier: GPL-2.0-only
// The part of the image reader that reads all of an image but the contents of
// files: owners, times, devices, links, attributes. For who makes the same tree
// again.
#include "base/error.h"
#include "base/quote.h"
#include "erofs/erofs_format.h"
#include "erofs/erofs_reader.h"

#include <algorithm>
#include <climits>
#include <set>
#include <sys/stat.h>

namespace erofs_share {

namespace {

// Of the superblock.
constexpr std::size_t kEpoch = 24;
constexpr std::size_t kFixedNanoseconds = 32;
constexpr std::size_t kVolumeName = 64;
constexpr std::size_t kVolumeNameSize = 16;

// Of an inode, and of its attributes.
constexpr std::size_t kCompactInode = 32;
constexpr std::uint8_t kCompressedFull = 1;
constexpr std::uint8_t kCompressed = 3;

/// What names in namespace number @base begin with; nothing where there is no
/// such namespace. Number 0 is for what user space cannot see.
std::optional<std::string> namespace_prefix(std::uint8_t base)
{
	switch (base) {
	case 0:
		return "";
	case 1:
		return "user.";
	case 2:
		return "system.posix_acl_access";
	case 3:
		return "system.posix_acl_default";
	case 4:
		return "trusted.";
	case 6:
		return "security.";
	default:
		return std::nullopt;
	}
}

/// Whether @name, in namespace number @base, is written in that form only.
bool is_plain_name(std::uint8_t base, const std::string &name)
{
	if (name.empty() || name.find('\0') != std::string::npos)
		return false;
	for (std::uint8_t other = 1; other <= 6; other++) {
		const auto prefix = namespace_prefix(other);
		const bool acl = other == 2 || other == 3;

		if (!prefix || !name.starts_with(*prefix))
			continue;
		return other == base && (!acl || name == *prefix);
	}
	return base == 0;
}

} // namespace

std::string ErofsImage::label() const
{
	const std::string name = super_.substr(kVolumeName, kVolumeNameSize);

	return name.substr(0, name.find('\0'));
}

void ErofsImage::need_attribute_names(const InodeData &data)
{
	if (prefixes_.empty() && number(super_, kSuperPrefixCount, 1) > 0)
		read_prefixes(data);
}

/// The attribute of @path whose name is @rest behind prefix or namespace
/// number @index.
ErofsAttribute ErofsImage::attribute(std::uint8_t index,
				     const std::string &rest, std::string value,
				     const std::string &path) const
{
	AttributeName name = {index, rest};

	if ((index & kLongPrefix) != 0) {
		const std::size_t id = index & ~kLongPrefix;

		if (id >= prefixes_.size())
			corrupt("an attribute without a name of " +
				quote_name(path));
		name = {prefixes_[id].base, prefixes_[id].rest + rest};
	}
	const auto prefix = namespace_prefix(name.base);
	if (!prefix || !is_plain_name(name.base, *prefix + name.rest))
		throw_error(EOPNOTSUPP,
			    quote_name(path_) + ": an attribute of " +
				    quote_name(path) +
				    " has a name that no file system keeps, " +
				    quote_name(name.rest) + " in namespace " +
				    std::to_string(name.base));
	return {.name = *prefix + name.rest,
		.value = std::move(value),
		.fingerprint = fingerprint_name_ && name == wanted_};
}

/// All attributes of @inode, which is called @path.
std::vector<ErofsAttribute>
ErofsImage::attributes(const Inode &inode, const std::string &path) const
{
	const std::uint64_t size = inode.data.tail - inode.body;
	std::vector<ErofsAttribute> found;
	const auto broken = [&] {
		corrupt("the attributes of " + quote_name(path));
	};
	const auto add = [&](const std::string &head, const std::string &text) {
		const std::size_t name_size = number(head, 0, 1);

		found.push_back(
			attribute(static_cast<std::uint8_t>(number(head, 1, 1)),
				  text.substr(0, name_size),
				  text.substr(name_size), path));
	};

	if (size == 0)
		return found;
	if (size < kXattrHeader || inode.data.tail > end_of_metadata())
		broken();
	const std::string area = bytes(inode.body, size);
	const std::size_t entries = kXattrHeader + number(area, 4, 1) * 4;
	if (entries > size)
		broken();
	for (std::size_t at = entries; at < size;) {
		if (size - at < kXattrEntry)
			broken();
		const std::string head = area.substr(at, kXattrEntry);
		const std::size_t length =
			number(head, 0, 1) + number(head, 2, 2);
		const std::size_t end = align4(at + kXattrEntry + length);

		if (end > size)
			broken();
		// Entries without a name only fill the room.
		if (number(head, 0, 1) != 0 || number(head, 1, 1) != 0)
			add(head, area.substr(at + kXattrEntry, length));
		at = end;
	}
	for (std::size_t at = kXattrHeader; at < entries; at += 4) {
		const std::uint64_t where =
			number(super_, kSuperXattrBlock, 4) * block_size_ +
			number(area, at, 4) * 4;
		if (where + kXattrEntry > end_of_metadata())
			broken();
		const std::string head = bytes(where, kXattrEntry);
		const std::size_t length =
			number(head, 0, 1) + number(head, 2, 2);

		if (where + align4(kXattrEntry + length) > end_of_metadata())
			broken();
		add(head, bytes(where + kXattrEntry, length));
	}
	std::sort(found.begin(), found.end());
	for (std::size_t i = 1; i < found.size(); i++)
		if (found[i - 1].name == found[i].name && !found[i].fingerprint)
			throw_error(EOPNOTSUPP,
				    quote_name(path_) + ": " +
					    quote_name(path) +
					    " has the attribute " +
					    quote_name(found[i].name) +
					    " more than once");
	return found;
}

/// Inode number @nid, which is called @path.
ErofsNode ErofsImage::node(std::uint64_t nid, const std::string &path) const
{
	const Inode inode = this->inode(nid);
	const std::uint64_t at =
		number(super_, kSuperMetaBlock, 4) * block_size_ +
		nid * kInodeSlot;
	const bool extended = inode.body - at == kExtendedInode;
	const std::string raw =
		bytes(at, extended ? kExtendedInode : kCompactInode);
	ErofsNode node;

	node.nid = nid;
	node.mode = inode.mode;
	node.size = inode.data.size;
	if (extended) {
		node.uid = static_cast<std::uint32_t>(number(raw, 24, 4));
		node.gid = static_cast<std::uint32_t>(number(raw, 28, 4));
		node.seconds = static_cast<std::int64_t>(number(raw, 32, 8));
		node.nanoseconds =
			static_cast<std::uint32_t>(number(raw, 40, 4));
		node.links = static_cast<std::uint32_t>(number(raw, 44, 4));
	} else {
		node.uid = static_cast<std::uint32_t>(number(raw, 24, 2));
		node.gid = static_cast<std::uint32_t>(number(raw, 26, 2));
		node.seconds =
			static_cast<std::int64_t>(number(super_, kEpoch, 8));
		node.nanoseconds = static_cast<std::uint32_t>(
			number(super_, kFixedNanoseconds, 4));
		node.links = static_cast<std::uint32_t>(number(raw, 6, 2));
	}
	if (S_ISCHR(node.mode) || S_ISBLK(node.mode)) {
		const auto device =
			static_cast<std::uint32_t>(number(raw, 16, 4));

		node.major = (device & 0xfff00) >> 8;
		node.minor = (device & 0xff) | (device >> 12 & 0xfff00);
	}
	if (S_ISREG(node.mode)) {
		node.compressed = inode.data.layout == kCompressedFull ||
				  inode.data.layout == kCompressed;
		if (inode.data.layout == kChunks)
			node.chunk = block_size_
				     << (number(raw, 16, 4) & kChunkBits);
	}
	if (S_ISLNK(node.mode)) {
		if (node.size == 0 || node.size >= PATH_MAX)
			corrupt("the symbolic link " + quote_name(path) +
				" of " + std::to_string(node.size) + " bytes");
		node.target = flat_part(inode.data, 0, node.size);
		if (node.target.find('\0') != std::string::npos)
			corrupt("where the symbolic link " + quote_name(path) +
				" leads to");
	}
	node.attributes = attributes(inode, path);
	return node;
}

void ErofsImage::visit_nodes(
	const std::function<void(const std::string &path,
				 const ErofsNode &node)> &visit) const
{
	const std::uint64_t root = number(super_, kSuperRootNid, 2);
	std::set<std::uint64_t> directories = {root};
	Directories all = {{root, root, 0, "", 0}};
	std::vector<std::size_t> todo = {0};
	Spent spent;

	visit("", node(root, "/"));
	while (!todo.empty()) {
		const std::size_t at = todo.back();

		todo.pop_back();
		std::vector<Entry> found = children(all[at]);
		spent.names += found.size();
		check_spent(spent);
		for (Entry &entry : found) {
			const std::size_t path_size =
				all[at].path_size + entry.name.size();

			if (path_size >= PATH_MAX)
				throw_error(ENAMETOOLONG,
					    quote_name(path_) +
						    ": a path in it");
			const std::string path = path_of(all, at, entry.name);
			const ErofsNode child = node(entry.nid, path);

			spent.paths += path_size;
			for (const ErofsAttribute &each : child.attributes)
				spent.attributes +=
					each.name.size() + each.value.size();
			check_spent(spent);
			visit(path, child);
			if (!S_ISDIR(child.mode))
				continue;
			if (!directories.insert(entry.nid).second)
				corrupt("a directory with two names");
			todo.push_back(all.size());
			all.push_back({entry.nid, all[at].nid, at,
				       std::move(entry.name), path_size + 1});
		}
	}
}

} // namespace erofs_share
