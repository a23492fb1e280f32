// SPDX-License-Identifier: GPL-2.0-only
// Reads an erofs image without the kernel.
#include "erofs_reader.h"

#include "erofs_format.h"
#include "erofs_utils.h"
#include "error.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <set>
#include <span>
#include <sstream>
#include <sys/stat.h>

namespace erofs_share {

namespace {

// Of the superblock, beyond what others need as well.
constexpr std::uint64_t kMagic = 0xe0f5e1e2;
constexpr std::size_t kRootNid = 14;
constexpr std::size_t kMetaBlock = 40;
constexpr std::size_t kXattrBlock = 44;
constexpr std::size_t kIncompat = 80;
constexpr std::size_t kDirectoryBlockBits = 90;
constexpr std::size_t kPrefixStart = 92;
constexpr std::size_t kPackedNid = 96;

/// Incompatible features that change nothing of what is read here.
constexpr std::uint64_t kKnownIncompat = 0x7f;

constexpr std::size_t kExtendedInode = 64;
constexpr std::size_t kXattrHeader = 12;
constexpr std::size_t kXattrEntry = 4;
constexpr std::uint8_t kFlatPlain = 0;
constexpr std::uint8_t kFlatInline = 2;
constexpr std::uint8_t kLongPrefix = 0x80;
/// More than any directory of an image that somebody made on purpose.
constexpr std::uint64_t kMaxDirectory = std::uint64_t{1} << 30;

std::uint64_t number(const std::string &from, std::size_t offset,
		     std::size_t width)
{
	std::uint64_t value = 0;

	for (std::size_t i = width; i-- > 0;)
		value = value << 8 |
			static_cast<unsigned char>(from.at(offset + i));
	return value;
}

std::size_t align4(std::size_t value)
{
	return (value + 3) & ~std::size_t{3};
}

/// What getxattr(2) puts in front of names in namespace number @base.
std::string namespace_name(std::uint8_t base)
{
	switch (base) {
	case 1:
		return "user.";
	case 4:
		return "trusted.";
	case 6:
		return "security.";
	default:
		return "(namespace " + std::to_string(base) + ").";
	}
}

} // namespace

ErofsImage::ErofsImage(std::string path)
    : path_(std::move(path)), fd_(open_file(path_, O_RDONLY))
{
	super_ = bytes(kSuperOffset, kSuperSize);
	if (number(super_, 0, 4) != kMagic)
		throw_error(EINVAL, path_ + ": expected an erofs image, it has "
					    "no erofs superblock");
	const std::uint64_t bits = number(super_, kSuperBlockBits, 1);
	const std::uint64_t more = number(super_, kDirectoryBlockBits, 1);
	if (bits < 9 || bits > 16 || more > 8)
		corrupt("block size 2^" + std::to_string(bits));
	block_size_ = std::uint64_t{1} << bits;
	directory_block_size_ = block_size_ << more;
	if (const std::uint64_t features =
		    number(super_, kIncompat, 4) & ~kKnownIncompat;
	    features != 0) {
		std::ostringstream text;

		text << "incompatible features 0x" << std::hex << features;
		unknown(text.str());
	}
	find_fingerprints();
}

bool ErofsImage::probe(const std::string &path)
{
	struct stat status {};

	if (stat(path.c_str(), &status) != 0)
		throw_errno(path);
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return false;
	const UniqueFd fd = open_file(path, O_RDONLY);
	std::array<std::byte, 4> magic{};

	if (read_at(fd.get(), magic, kSuperOffset, path) != magic.size())
		return false;
	return magic == std::array{std::byte{0xe2}, std::byte{0xe1},
				   std::byte{0xf5}, std::byte{0xe0}};
}

bool ErofsImage::has_fragments() const
{
	return number(super_, kPackedNid, 8) != 0;
}

void ErofsImage::corrupt(const std::string &what) const
{
	throw_error(EBADMSG, path_ + ": damaged image, " + what +
				     "; try fsck.erofs " + path_);
}

void ErofsImage::unknown(const std::string &what) const
{
	throw_error(EOPNOTSUPP,
		    path_ + ": " + what +
			    " cannot be read without mounting; mount the image "
			    "and name the directory");
}

std::string ErofsImage::bytes(std::uint64_t offset, std::uint64_t length) const
{
	std::string result(length, '\0');
	const auto buffer = std::as_writable_bytes(std::span(result));

	if (read_at(fd_.get(), buffer, offset, path_) != length)
		corrupt("it ends before byte " +
			std::to_string(offset + length));
	return result;
}

void ErofsImage::find_fingerprints()
{
	const std::uint64_t compat = number(super_, kSuperCompat, 4);

	if ((compat & kCompatFingerprints) == 0)
		return;
	attribute_.id = static_cast<std::uint8_t>(
		number(super_, kSuperFingerprintPrefix, 1));
	if (attribute_.id >= number(super_, kSuperPrefixCount, 1))
		corrupt("its fingerprints have no attribute name");

	// Entries of the table: 2 bytes length, 1 byte namespace, the name.
	std::uint64_t at = number(super_, kPrefixStart, 4) << 2;
	std::string packed;
	const std::uint64_t packed_nid = number(super_, kPackedNid, 8);
	if ((compat & kCompatPlainPrefixes) == 0 && packed_nid != 0)
		packed = packed_data(packed_nid);
	const auto part = [&](std::uint64_t offset, std::uint64_t length) {
		if (packed.empty())
			return bytes(offset, length);
		if (offset + length > packed.size())
			corrupt("its attribute names lie outside");
		return packed.substr(offset, length);
	};
	for (unsigned int i = 0;; i++) {
		const std::uint64_t length = number(part(at, 2), 0, 2);

		if (length < 1 || length > 256)
			corrupt("its table of attribute names is none");
		if (i == attribute_.id) {
			const std::string entry = part(at + 2, length);

			attribute_.base =
				static_cast<std::uint8_t>(number(entry, 0, 1));
			attribute_.name = entry.substr(1);
			break;
		}
		at = align4(at + 2 + length);
	}
	fingerprint_name_ = namespace_name(attribute_.base) + attribute_.name;
}

/// The data of the inode that has what was packed from others.
std::string ErofsImage::packed_data(std::uint64_t nid) const
{
	const Inode packed = inode(nid);

	if (packed.layout == kFlatPlain || packed.layout == kFlatInline)
		return flat_data(packed);
	return inode_data(path_, nid);
}

ErofsImage::Inode ErofsImage::inode(std::uint64_t nid) const
{
	const std::uint64_t start = number(super_, kMetaBlock, 4) * block_size_;
	if (nid > (UINT64_MAX >> 6))
		corrupt("inode number " + std::to_string(nid));
	const std::uint64_t at = start + nid * kInodeSlot;
	std::string raw = bytes(at, kInodeSlot);
	const std::uint64_t format = number(raw, 0, 2);
	const std::uint64_t xattrs = number(raw, 2, 2);
	Inode result;

	result.layout = static_cast<std::uint8_t>(format >> 1 & 7);
	result.mode = static_cast<std::uint16_t>(number(raw, 4, 2));
	result.block = static_cast<std::uint32_t>(number(raw, 16, 4));
	if ((format & 1) != 0) {
		raw = bytes(at, kExtendedInode);
		result.size = number(raw, 8, 8);
		result.body = at + kExtendedInode;
	} else {
		result.size = number(raw, 8, 4);
		result.body = at + kInodeSlot;
	}
	result.tail = result.body +
		      (xattrs == 0 ? 0 : kXattrHeader + (xattrs - 1) * 4);
	return result;
}

std::string ErofsImage::flat_data(const Inode &inode) const
{
	const std::uint64_t start = inode.block * block_size_;

	if (inode.size > kMaxDirectory)
		corrupt("a directory of " + std::to_string(inode.size) +
			" bytes");
	if (inode.size == 0)
		return {};
	switch (inode.layout) {
	case kFlatPlain:
		return bytes(start, inode.size);
	case kFlatInline: {
		// The last block lies behind the attributes, full or not.
		const std::uint64_t before =
			(inode.size - 1) / block_size_ * block_size_;

		return bytes(start, before) +
		       bytes(inode.tail, inode.size - before);
	}
	default:
		unknown("directories with data layout " +
			std::to_string(inode.layout));
	}
}

std::vector<ErofsImage::Entry> ErofsImage::entries(const Inode &inode) const
{
	const std::string all = flat_data(inode);
	std::vector<Entry> found;

	for (std::size_t from = 0; from < all.size();
	     from += directory_block_size_) {
		const std::string block =
			all.substr(from, directory_block_size_);
		const auto name_at = [&](std::size_t i) {
			if (i * kDirent + kDirent > block.size())
				corrupt("a directory's entries");
			return number(block, i * kDirent + 8, 2);
		};
		const std::size_t count = name_at(0) / kDirent;

		if (count == 0)
			corrupt("a directory block without entries");
		for (std::size_t i = 0; i < count; i++) {
			const std::size_t begin = name_at(i);
			const std::size_t end =
				i + 1 < count ? name_at(i + 1) : block.size();

			if (begin > end || end > block.size())
				corrupt("a directory's names");
			std::string name = block.substr(begin, end - begin);
			name.resize(std::min(name.find('\0'), name.size()));
			if (name.empty() || name.find('/') != std::string::npos)
				corrupt("a name in a directory");
			found.push_back({number(block, i * kDirent, 8),
					 std::move(name)});
		}
	}
	return found;
}

/// The value of the attribute at @at of @area, if it is the fingerprint; @end
/// is set to the end of the attribute.
std::optional<std::string> ErofsImage::attribute_value(const std::string &area,
						       std::size_t at,
						       std::size_t *end) const
{
	if (at + kXattrEntry > area.size())
		corrupt("an attribute lies outside");
	const std::size_t name_size = number(area, at, 1);
	const auto index = static_cast<std::uint8_t>(number(area, at + 1, 1));
	const std::size_t value_size = number(area, at + 2, 2);
	const std::size_t name_at = at + kXattrEntry;

	*end = name_at + name_size + value_size;
	if (*end > area.size())
		corrupt("an attribute's value lies outside");
	const std::string name = area.substr(name_at, name_size);
	const bool is_it =
		(index & kLongPrefix) != 0
			? index == (kLongPrefix | attribute_.id) && name.empty()
			: index == attribute_.base && name == attribute_.name;
	if (!is_it)
		return std::nullopt;
	return area.substr(name_at + name_size, value_size);
}

std::string ErofsImage::fingerprint(const Inode &inode) const
{
	const std::uint64_t size = inode.tail - inode.body;
	if (!fingerprint_name_ || size < kXattrHeader)
		return {};
	const std::string area = bytes(inode.body, size);
	const std::size_t shared = number(area, 4, 1);
	std::size_t at = kXattrHeader;

	for (std::size_t i = 0; i < shared; i++, at += 4) {
		if (at + 4 > size)
			corrupt("references to attributes");
		const std::uint64_t where =
			number(super_, kXattrBlock, 4) * block_size_ +
			number(area, at, 4) * 4;
		const std::string head = bytes(where, kXattrEntry);
		std::size_t end = 0;
		const auto value = attribute_value(
			bytes(where, kXattrEntry + number(head, 0, 1) +
					     number(head, 2, 2)),
			0, &end);

		if (value)
			return *value;
	}
	while (at + kXattrEntry <= size) {
		if (const auto value = attribute_value(area, at, &at))
			return *value;
		at = align4(at);
	}
	return {};
}

std::vector<ErofsFile> ErofsImage::files() const
{
	struct Directory {
		std::uint64_t nid;
		std::string prefix;
	};
	std::vector<Directory> todo = {{number(super_, kRootNid, 2), ""}};
	std::set<std::uint64_t> seen = {todo.front().nid};
	std::vector<ErofsFile> found;

	while (!todo.empty()) {
		const Directory directory = todo.back();
		const Inode parent = inode(directory.nid);

		todo.pop_back();
		if (!S_ISDIR(parent.mode))
			corrupt("a directory that is none");
		for (const Entry &entry : entries(parent)) {
			if (entry.name == "." || entry.name == ".." ||
			    !seen.insert(entry.nid).second)
				continue;
			const Inode child = inode(entry.nid);
			const std::string path = directory.prefix + entry.name;

			if (S_ISDIR(child.mode))
				todo.push_back({entry.nid, path + "/"});
			else if (S_ISREG(child.mode))
				found.push_back(
					{path, child.size, fingerprint(child)});
		}
	}
	return found;
}

} // namespace erofs_share
