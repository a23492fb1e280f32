// SPDX-License-Identifier: GPL-2.0-only
// Reads an erofs image without the kernel.
#include "erofs/erofs_reader.h"

#include "base/error.h"
#include "base/quote.h"
#include "erofs/erofs_format.h"

#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

// Of the superblock, beyond what others need as well.
constexpr std::uint64_t kMagic = 0xe0f5e1e2;
constexpr std::size_t kBlocks = 36;
constexpr std::size_t kIncompat = 80;
constexpr std::size_t kExtraDevices = 86;
constexpr std::size_t kDeviceTableSlot = 88;
constexpr std::size_t kDirectoryBlockBits = 90;
constexpr std::size_t kPrefixStart = 92;
constexpr std::size_t kPackedNid = 96;

/// Incompatible feature: there are other devices.
constexpr std::uint64_t kDeviceTable = 0x8;
/// Incompatible features that change nothing of what is read here.
constexpr std::uint64_t kKnownIncompat = 0x7f;
/// Incompatible features that have other forms of inodes.
constexpr std::uint64_t k48Bit = 0x80;
constexpr std::uint64_t kMetabox = 0x100;

/// A slot of the device table, and where in it the numbers are.
constexpr std::size_t kDeviceSlot = 128;
constexpr std::size_t kDeviceBlocks = 64;
constexpr std::size_t kDeviceStart = 68;

constexpr std::uint8_t kPrefixIndex = 0x7f;
/// The longest fingerprint that the kernel takes.
constexpr std::size_t kMaxFingerprint = 256;
/// Bytes of a long prefix of attributes' names, and of its table's entry.
constexpr std::uint64_t kPrefixText = 256;
constexpr std::uint64_t kPrefixSize = 2 + kPrefixText + 2;
/// What is read at once.
constexpr std::uint64_t kWindow = 65536;
/// More than any directory of an image that somebody made on purpose.
constexpr std::uint64_t kMaxDirectory = std::uint64_t{1} << 30;
/// All files of an image together: no medium holds more, and sums of a
/// thousand images stay far from where numbers wrap.
constexpr std::uint64_t kMaxFiles = std::uint64_t{1} << 53;
/// What paths may take in memory: this, and so much for a byte of the image. A
/// tree that is made to be deep and broad at once has small inodes and long
/// paths.
constexpr std::uint64_t kPathBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kPathBytesPerByte = 16;
/// The same for what attributes are read, which inodes can have in common.
constexpr std::uint64_t kAttributeBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kAttributeBytesPerByte = 64;
/// Bits of an inode's format that are known.
constexpr std::uint64_t kFormatBits = 0xf;

/// The attribute @rest in namespace number @base, for people: where there is a
/// name for it, as getxattr(2) wants it.
std::string attribute_name(std::uint8_t base, const std::string &rest)
{
	switch (base) {
	case 0:
		return rest + ", hidden";
	case 1:
		return "user." + rest;
	case 4:
		return "trusted." + rest;
	case 6:
		return "security." + rest;
	default:
		return "(namespace " + std::to_string(base) + ")." + rest;
	}
}

} // namespace

UniqueFd open_image_file(const std::string &path)
{
	UniqueFd fd(open(path.c_str(),
			 O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));

	if (!fd.valid())
		throw_errno(quote_name(path) + ": expected an erofs image");
	return fd;
}

std::uint64_t image_size(int fd, const std::string &path)
{
	struct stat status {};

	if (fstat(fd, &status) != 0)
		throw_errno(quote_name(path));
	if (S_ISREG(status.st_mode))
		return static_cast<std::uint64_t>(status.st_size);
	if (!S_ISBLK(status.st_mode))
		throw_error(EINVAL, quote_name(path) +
					    ": expected an erofs image, it is "
					    "no regular file or block device");
	const off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		throw_errno(quote_name(path) + ": find the device's end");
	return static_cast<std::uint64_t>(end);
}

ErofsImage::ErofsImage(UniqueFd fd, std::string path, const InodeData &data)
    : path_(std::move(path)), fd_(std::move(fd)),
      size_(image_size(fd_.get(), path_))
{
	if (size_ < kSuperOffset + kSuperSize)
		throw_error(EINVAL, quote_name(path_) +
					    ": expected an erofs image, it has "
					    "no erofs superblock");
	super_ = bytes(kSuperOffset, kSuperSize);
	if (number(super_, 0, 4) != kMagic)
		throw_error(EINVAL, quote_name(path_) +
					    ": expected an erofs image, it has "
					    "no erofs superblock");
	const std::uint64_t bits = number(super_, kSuperBlockBits, 1);
	const std::uint64_t more = number(super_, kDirectoryBlockBits, 1);
	if (bits < 9 || bits > 16 || more > 8)
		corrupt("block size 2^" + std::to_string(bits));
	block_size_ = std::uint64_t{1} << bits;
	directory_block_size_ = block_size_ << more;
	const std::uint64_t features =
		number(super_, kIncompat, 4) & ~kKnownIncompat;
	if ((features & k48Bit) != 0)
		unknown("block numbers of 48 bits (mkfs.erofs -E48bit)");
	if ((features & kMetabox) != 0)
		unknown("compressed metadata (mkfs.erofs -m)");
	if (features != 0) {
		std::ostringstream text;

		text << "incompatible features 0x" << std::hex << features;
		unknown(text.str());
	}
	find_fingerprints(data);
}

bool ErofsImage::probe(const std::string &path)
{
	const UniqueFd fd(open(path.c_str(),
			       O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
	std::array<std::byte, 4> magic{};
	struct stat status {};

	if (!fd.valid() || fstat(fd.get(), &status) != 0)
		throw_errno(quote_name(path));
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return false;
	if (read_at(fd.get(), magic, kSuperOffset, path) != magic.size())
		return false;
	return magic == std::array{std::byte{0xe2}, std::byte{0xe1},
				   std::byte{0xf5}, std::byte{0xe0}};
}

bool ErofsImage::has_fragments() const
{
	return number(super_, kPackedNid, 8) != 0;
}

std::size_t ErofsImage::extra_devices() const
{
	if ((number(super_, kIncompat, 4) & kDeviceTable) == 0)
		return 0;
	return number(super_, kExtraDevices, 2);
}

std::vector<DeviceSlot> ErofsImage::devices() const
{
	std::vector<DeviceSlot> found;
	const std::size_t count = extra_devices();

	if (count == 0)
		return found;
	const std::string table =
		bytes(number(super_, kDeviceTableSlot, 2) * kDeviceSlot,
		      count * kDeviceSlot);
	for (std::size_t i = 0; i < count; i++)
		found.push_back(
			{number(table, i * kDeviceSlot + kDeviceBlocks, 4),
			 number(table, i * kDeviceSlot + kDeviceStart, 4)});
	return found;
}

void ErofsImage::corrupt(const std::string &what) const
{
	throw_error(EBADMSG, quote_name(path_) + ": damaged image, " + what +
				     "; try fsck.erofs " + shell_word(path_));
}

void ErofsImage::unknown(const std::string &what) const
{
	throw_error(EOPNOTSUPP,
		    quote_name(path_) + ": it has " + what +
			    ", which this version does not read; where a "
			    "kernel mounts it, estimate takes the directory");
}

std::optional<std::string> ErofsImage::bytes_within(std::uint64_t offset,
						    std::uint64_t length) const
{
	const std::uint64_t start = offset / kWindow * kWindow;

	// From wherever: a block number without data is no place.
	if (length == 0)
		return std::string();
	// Before anything of that length is made.
	if (offset > size_ || length > size_ - offset)
		return std::nullopt;
	// Inodes lie close together: read many of them at once.
	if (offset + length <= start + kWindow) {
		if (window_.empty() || window_at_ != start) {
			window_.resize(kWindow);
			window_.resize(read_at(
				fd_.get(),
				std::as_writable_bytes(std::span(window_)),
				start, path_));
			window_at_ = start;
		}
		if (offset + length > start + window_.size())
			return std::nullopt;
		return window_.substr(offset - start, length);
	}
	std::string result(length, '\0');
	if (read_at(fd_.get(), std::as_writable_bytes(std::span(result)),
		    offset, path_) != length)
		return std::nullopt;
	return result;
}

std::string ErofsImage::bytes(std::uint64_t offset, std::uint64_t length) const
{
	std::optional<std::string> result = bytes_within(offset, length);

	if (!result)
		corrupt("it ends at byte " + std::to_string(size_) +
			", before what it has at byte " +
			std::to_string(offset));
	return std::move(*result);
}

void ErofsImage::find_fingerprints(const InodeData &data)
{
	if ((number(super_, kSuperCompat, 4) & kCompatFingerprints) == 0)
		return;
	const std::size_t id = number(super_, kSuperFingerprintPrefix, 1);
	// Attributes can refer to the first 128 only.
	if (id >= std::min<std::uint64_t>(number(super_, kSuperPrefixCount, 1),
					  kLongPrefix))
		corrupt("its fingerprints have no attribute name");
	read_prefixes(data);
	wanted_ = prefixes_[id];
	fingerprint_name_ = attribute_name(wanted_.base, wanted_.rest);
}

/// The table of long prefixes: each has 2 bytes length, 1 byte namespace, and
/// what names begin with.
void ErofsImage::read_prefixes(const InodeData &data)
{
	const std::uint64_t packed_nid = number(super_, kPackedNid, 8);
	const bool plain =
		(number(super_, kSuperCompat, 4) & kCompatPlainPrefixes) != 0;
	const std::uint64_t count = number(super_, kSuperPrefixCount, 1);
	const std::uint64_t start = number(super_, kPrefixStart, 4) << 2;
	std::uint64_t at = start;
	std::string packed;

	// No more than the table can take: an inode may claim any size.
	if (!plain && packed_nid != 0)
		packed = packed_part(packed_nid, start, count * kPrefixSize,
				     data);
	const auto part = [&](std::uint64_t offset, std::uint64_t length) {
		if (plain || packed_nid == 0)
			return bytes(offset, length);
		if (offset - start + length > packed.size())
			corrupt("its attribute names lie outside");
		return packed.substr(offset - start, length);
	};
	for (std::uint64_t i = count; i > 0; i--) {
		const std::uint64_t length = number(part(at, 2), 0, 2);

		if (length < 1 || length > kPrefixText)
			corrupt("its table of attribute names is none");
		const std::string entry = part(at + 2, length);
		prefixes_.push_back(
			{static_cast<std::uint8_t>(number(entry, 0, 1)),
			 entry.substr(1)});
		at = align4(at + 2 + length);
	}
}

/// @length bytes at @from of the inode that has what was packed from others;
/// less where it ends.
std::string ErofsImage::packed_part(std::uint64_t nid, std::uint64_t from,
				    std::uint64_t length,
				    const InodeData &data) const
{
	const DataPlace place = inode(nid).data;

	if (place.compressed()) {
		if (!data)
			unknown("compressed attribute names");
		return data(nid, from, length);
	}
	if (from >= place.size)
		return {};
	return flat_part(place, from, std::min(length, place.size - from));
}

ErofsImage::Inode ErofsImage::inode(std::uint64_t nid) const
{
	const std::uint64_t start =
		number(super_, kSuperMetaBlock, 4) * block_size_;
	if (nid > (UINT64_MAX >> 6))
		corrupt("inode number " + std::to_string(nid));
	const std::uint64_t at = start + nid * kInodeSlot;
	std::string raw = bytes(at, kInodeSlot);
	const std::uint64_t format = number(raw, 0, 2);
	const std::uint64_t xattrs = number(raw, 2, 2);
	Inode result;
	DataPlace &data = result.data;

	// Nor does the kernel know them, before Linux 6.15.
	if ((format & ~kFormatBits) != 0)
		unknown("inodes of a newer form (mkfs.erofs -E48bit, "
			"-Edot-omitted)");
	data.layout = static_cast<std::uint8_t>(format >> 1 & 7);
	result.mode = static_cast<std::uint16_t>(number(raw, 4, 2));
	data.block = number(raw, 16, 4);
	data.chunk_format = static_cast<std::uint16_t>(number(raw, 16, 2));
	if ((format & 1) != 0) {
		raw = bytes(at, kExtendedInode);
		data.size = number(raw, 8, 8);
		result.body = at + kExtendedInode;
	} else {
		data.size = number(raw, 8, 4);
		result.body = at + kInodeSlot;
	}
	data.tail = result.body +
		    (xattrs == 0 ? 0 : kXattrHeader + (xattrs - 1) * 4);
	if (data.size > INT64_MAX)
		corrupt("inode " + std::to_string(nid) + " of " +
			std::to_string(data.size) + " bytes");
	return result;
}

/// @length bytes at @from, which are within @data: of one block, or of one that
/// is not the last of inline data.
std::string ErofsImage::flat_part(const DataPlace &data, std::uint64_t from,
				  std::uint64_t length) const
{
	switch (data.layout) {
	case kFlatPlain:
		return bytes(data.block * block_size_ + from, length);
	case kFlatInline: {
		// The last block lies behind the attributes, full or not.
		const std::uint64_t before =
			(data.size - 1) / block_size_ * block_size_;
		const std::uint64_t plain =
			from < before ? std::min(length, before - from) : 0;
		std::string text =
			bytes(data.block * block_size_ + from, plain);

		if (plain < length) {
			if (data.tail % block_size_ + (data.size - before) >
			    block_size_)
				corrupt("inline data that crosses a block");
			text += bytes(data.tail + (from + plain - before),
				      length - plain);
		}
		return text;
	}
	default:
		unknown(data.compressed()
				? "compressed directories (mkfs.erofs --zD)"
				: "directories with data layout " +
					  std::to_string(data.layout));
	}
}

/// Refuses a directory that ends within a name: where its last block is read
/// whole, the kernel's lookup takes the name as far as it goes, and finds what
/// no list of the directory has.
void ErofsImage::check_end(const Inode &directory) const
{
	const DataPlace &data = directory.data;

	if (data.layout != kFlatPlain || data.size % directory_block_size_ == 0)
		return;
	const auto behind =
		bytes_within(data.block * block_size_ + data.size, 1);
	if (behind && behind->front() != '\0')
		corrupt("a directory that ends within a name");
}

/// Adds the entries of one block of a directory to @found.
void ErofsImage::add_entries(const std::string &block,
			     std::vector<Entry> &found) const
{
	const auto name_at = [&](std::size_t i) {
		if (i * kDirent + kDirent > block.size())
			corrupt("a directory's entries");
		return number(block, i * kDirent + 8, 2);
	};
	const std::size_t count = name_at(0) / kDirent;

	if (count == 0)
		corrupt("a directory block without entries");
	for (std::size_t i = 0; i < count; i++) {
		const bool last = i + 1 == count;
		const std::size_t begin = name_at(i);
		const std::size_t end = last ? block.size() : name_at(i + 1);

		if (begin > end || end > block.size())
			corrupt("a directory's names");
		std::string name = block.substr(begin, end - begin);
		// Only the last may have something behind it.
		if (last)
			name.resize(std::min(name.find('\0'), name.size()));
		if (name.empty() || name.size() > NAME_MAX ||
		    name.find('/') != std::string::npos ||
		    name.find('\0') != std::string::npos)
			corrupt("a name in a directory");
		found.push_back(
			{number(block, i * kDirent, 8), std::move(name)});
	}
}

std::vector<ErofsImage::Entry> ErofsImage::entries(const Inode &inode) const
{
	const DataPlace &data = inode.data;
	std::vector<Entry> found;

	if (data.size > kMaxDirectory)
		corrupt("a directory of " + std::to_string(data.size) +
			" bytes");
	check_end(inode);
	for (std::uint64_t from = 0; from < data.size;
	     from += directory_block_size_)
		add_entries(flat_part(data, from,
				      std::min(directory_block_size_,
					       data.size - from)),
			    found);
	return found;
}

/// The entries of @directory but for "." and "..", which must be there once and
/// lead to where they should: else what bears such a name is a file that nobody
/// looks at.
std::vector<ErofsImage::Entry>
ErofsImage::children(const Directory &directory) const
{
	const Inode parent = inode(directory.nid);
	std::vector<Entry> found;
	unsigned int own = 0;
	unsigned int up = 0;

	if (!S_ISDIR(parent.mode))
		corrupt("a directory that is none");
	for (Entry &entry : entries(parent)) {
		if (entry.name == ".") {
			own++;
			if (entry.nid != directory.nid)
				corrupt("a \".\" that is another inode");
		} else if (entry.name == "..") {
			up++;
			if (entry.nid != directory.parent)
				corrupt("a \"..\" that is not the parent");
		} else {
			found.push_back(std::move(entry));
		}
	}
	if (own != 1 || up != 1)
		corrupt("a directory with " + std::to_string(own) +
			" \".\" and " + std::to_string(up) + " \"..\"");
	return found;
}

/// Whether the attribute @name with the prefix or namespace @index has the
/// fingerprint's name, which may be divided in any way.
bool ErofsImage::is_fingerprint(std::uint8_t index,
				const std::string &name) const
{
	if ((index & kLongPrefix) == 0)
		return wanted_ == AttributeName{index, name};
	const std::size_t id = index & kPrefixIndex;
	if (id >= prefixes_.size())
		return false;
	return wanted_ ==
	       AttributeName{prefixes_[id].base, prefixes_[id].rest + name};
}

/// Looks at the attributes from @at to the end of @area. Returns false where
/// one does not fit in.
bool ErofsImage::add_inline(const std::string &area, std::size_t at,
			    Candidates &found) const
{
	while (at < area.size()) {
		if (area.size() - at < kXattrEntry)
			return false;
		const std::size_t name_size = number(area, at, 1);
		const std::size_t value_size = number(area, at + 2, 2);
		const std::size_t name_at = at + kXattrEntry;
		const std::size_t end =
			align4(name_at + name_size + value_size);

		if (end > area.size())
			return false;
		if (is_fingerprint(
			    static_cast<std::uint8_t>(number(area, at + 1, 1)),
			    area.substr(name_at, name_size))) {
			found.count++;
			found.value =
				area.substr(name_at + name_size, value_size);
		}
		at = end;
	}
	return true;
}

std::uint64_t ErofsImage::end_of_metadata() const
{
	return number(super_, kBlocks, 4) * block_size_;
}

/// Looks at the shared attribute at @where. Returns false if it cannot be read.
bool ErofsImage::add_shared(std::uint64_t where, Candidates &found) const
{
	const auto head = bytes_within(where, kXattrEntry);
	if (!head)
		return false;
	const std::size_t name_size = number(*head, 0, 1);
	const std::size_t value_size = number(*head, 2, 2);
	// As the kernel does: a device may go on behind the image.
	if (where + align4(kXattrEntry + name_size + value_size) >
	    end_of_metadata())
		return false;
	const auto text =
		bytes_within(where + kXattrEntry, name_size + value_size);
	if (!text)
		return false;
	found.bytes += text->size();
	if (is_fingerprint(static_cast<std::uint8_t>(number(*head, 1, 1)),
			   text->substr(0, name_size))) {
		found.count++;
		found.value = text->substr(name_size);
	}
	return true;
}

/// Fills in what the attributes of @inode say. Damage there is not the image's
/// end: the kernel, too, only leaves the file unshared. Returns how many bytes
/// were looked at.
std::uint64_t ErofsImage::read_fingerprint(const Inode &inode,
					   ErofsFile &file) const
{
	const std::uint64_t size = inode.data.tail - inode.body;
	Candidates found;

	if (!fingerprint_name_ || size == 0)
		return 0;
	file.state = FingerprintState::kUnusable;
	if (inode.data.tail > end_of_metadata())
		return 0;
	const auto area = bytes_within(inode.body, size);
	if (!area)
		return 0;
	const std::size_t shared = number(*area, 4, 1);
	const std::size_t entries = kXattrHeader + shared * 4;
	if (entries > size || !add_inline(*area, entries, found))
		return size;
	for (std::size_t at = kXattrHeader; at < entries; at += 4)
		if (!add_shared(number(super_, kSuperXattrBlock, 4) *
						block_size_ +
					number(*area, at, 4) * 4,
				found))
			return size + found.bytes;

	if (found.count == 0) {
		file.state = FingerprintState::kNone;
	} else if (found.count > 1) {
		file.state = FingerprintState::kAmbiguous;
	} else if (!found.value.empty() &&
		   found.value.size() <= kMaxFingerprint) {
		file.state = FingerprintState::kOne;
		file.fingerprint = std::move(found.value);
	}
	return size + found.bytes;
}

std::vector<ErofsFile> ErofsImage::files() const
{
	std::vector<ErofsFile> found;

	visit_files(UINT64_MAX,
		    [&](ErofsFile file) { found.push_back(std::move(file)); });
	return found;
}

/// The path of @name in directory number @directory of @all.
std::string ErofsImage::path_of(const Directories &all, std::size_t directory,
				const std::string &name)
{
	std::string path(all[directory].path_size + name.size(), '/');
	std::size_t end = all[directory].path_size;

	path.replace(end, name.size(), name);
	for (std::size_t at = directory; at != 0; at = all[at].above) {
		const std::string &part = all[at].name;

		end -= part.size() + 1;
		path.replace(end, part.size(), part);
	}
	return path;
}

/// Refuses what an image only has where its parts lie in each other.
void ErofsImage::check_spent(const Spent &spent) const
{
	if (spent.names > size_ / kDirent)
		corrupt("more names than an image of its size has");
	if (spent.paths > kPathBytes + kPathBytesPerByte * size_)
		corrupt("more paths than an image of its size needs");
	if (spent.attributes > kAttributeBytes + kAttributeBytesPerByte * size_)
		corrupt("more attributes than an image of its size needs");
}

bool ErofsImage::visit_files(std::uint64_t most,
			     const std::function<void(ErofsFile)> &visit) const
{
	const std::uint64_t root = number(super_, kSuperRootNid, 2);
	// Whether an inode that was seen is a directory.
	std::map<std::uint64_t, bool> seen = {{root, true}};
	Directories all = {{root, root, 0, "", 0}};
	std::vector<std::size_t> todo = {0};
	std::uint64_t bytes = 0;
	Spent spent;

	while (!todo.empty()) {
		const std::size_t at = todo.back();

		todo.pop_back();
		std::vector<Entry> found = children(all[at]);
		spent.names += found.size();
		check_spent(spent);
		for (Entry &entry : found) {
			const auto known = seen.find(entry.nid);

			if (known != seen.end()) {
				if (known->second)
					corrupt("a directory with two names");
				continue;
			}
			if (seen.size() >= most)
				return false;
			const Inode child = inode(entry.nid);
			const std::size_t path_size =
				all[at].path_size + entry.name.size();

			// Nobody could open it by this path.
			if (path_size >= PATH_MAX)
				throw_error(ENAMETOOLONG,
					    quote_name(path_) +
						    ": a path in it");
			seen[entry.nid] = S_ISDIR(child.mode);
			if (S_ISDIR(child.mode)) {
				todo.push_back(all.size());
				all.push_back({entry.nid, all[at].nid, at,
					       std::move(entry.name),
					       path_size + 1});
			} else if (S_ISREG(child.mode)) {
				ErofsFile file = {
					.path = path_of(all, at, entry.name),
					.size = child.data.size,
					.state = FingerprintState::kNone,
					.fingerprint = {},
					.nid = entry.nid,
					.data = child.data};

				bytes += std::min(file.size, kMaxFiles);
				spent.paths += path_size;
				if (bytes > kMaxFiles)
					corrupt("files of more bytes than any "
						"medium has");
				spent.attributes +=
					read_fingerprint(child, file);
				check_spent(spent);
				visit(std::move(file));
			}
		}
	}
	return true;
}

} // namespace erofs_share
