// SPDX-License-Identifier: GPL-2.0-only
// Reads an erofs image without the kernel.
#include "erofs_reader.h"

#include "erofs_format.h"
#include "error.h"
#include "quote.h"

#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <map>
#include <span>
#include <sstream>
#include <sys/stat.h>

namespace erofs_share {

namespace {

// Of the superblock, beyond what others need as well.
constexpr std::uint64_t kMagic = 0xe0f5e1e2;
constexpr std::size_t kRootNid = 14;
constexpr std::size_t kBlocks = 36;
constexpr std::size_t kMetaBlock = 40;
constexpr std::size_t kXattrBlock = 44;
constexpr std::size_t kIncompat = 80;
constexpr std::size_t kExtraDevices = 86;
constexpr std::size_t kDirectoryBlockBits = 90;
constexpr std::size_t kPrefixStart = 92;
constexpr std::size_t kPackedNid = 96;

/// Incompatible feature: there are other devices.
constexpr std::uint64_t kDeviceTable = 0x8;
/// Incompatible features that change nothing of what is read here.
constexpr std::uint64_t kKnownIncompat = 0x7f;

constexpr std::size_t kExtendedInode = 64;
constexpr std::size_t kXattrHeader = 12;
constexpr std::size_t kXattrEntry = 4;
constexpr std::uint8_t kFlatPlain = 0;
constexpr std::uint8_t kFlatInline = 2;
constexpr std::uint8_t kLongPrefix = 0x80;
constexpr std::uint8_t kPrefixIndex = 0x7f;
/// The longest fingerprint that the kernel takes.
constexpr std::size_t kMaxFingerprint = 256;
/// What is read at once.
constexpr std::uint64_t kWindow = 65536;
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

ErofsImage::ErofsImage(UniqueFd fd, std::string path, const InodeData &data)
    : path_(std::move(path)), fd_(std::move(fd))
{
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
	if (const std::uint64_t features =
		    number(super_, kIncompat, 4) & ~kKnownIncompat;
	    features != 0) {
		std::ostringstream text;

		text << "incompatible features 0x" << std::hex << features;
		unknown(text.str());
	}
	find_fingerprints(data);
}

bool ErofsImage::probe(const std::string &path)
{
	struct stat status {};

	if (stat(path.c_str(), &status) != 0)
		throw_errno(quote_name(path));
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

std::size_t ErofsImage::extra_devices() const
{
	if ((number(super_, kIncompat, 4) & kDeviceTable) == 0)
		return 0;
	return number(super_, kExtraDevices, 2);
}

void ErofsImage::corrupt(const std::string &what) const
{
	throw_error(EBADMSG, quote_name(path_) + ": damaged image, " + what +
				     "; try fsck.erofs " + shell_word(path_));
}

void ErofsImage::unknown(const std::string &what) const
{
	throw_error(EOPNOTSUPP,
		    quote_name(path_) + ": " + what +
			    " cannot be read without mounting; mount the image "
			    "and name the directory");
}

std::optional<std::string> ErofsImage::bytes_within(std::uint64_t offset,
						    std::uint64_t length) const
{
	const std::uint64_t start = offset / kWindow * kWindow;

	// From wherever: a block number without data is no place.
	if (length == 0)
		return std::string();
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
		corrupt("it ends before byte " +
			std::to_string(offset + length));
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
	std::uint64_t at = number(super_, kPrefixStart, 4) << 2;
	std::string packed;

	if (!plain && packed_nid != 0)
		packed = packed_data(packed_nid, data);
	const auto part = [&](std::uint64_t offset, std::uint64_t length) {
		if (packed.empty())
			return bytes(offset, length);
		if (offset + length > packed.size())
			corrupt("its attribute names lie outside");
		return packed.substr(offset, length);
	};
	for (std::uint64_t i = number(super_, kSuperPrefixCount, 1); i > 0;
	     i--) {
		const std::uint64_t length = number(part(at, 2), 0, 2);

		if (length < 1 || length > 256)
			corrupt("its table of attribute names is none");
		const std::string entry = part(at + 2, length);
		prefixes_.push_back(
			{static_cast<std::uint8_t>(number(entry, 0, 1)),
			 entry.substr(1)});
		at = align4(at + 2 + length);
	}
}

/// The data of the inode that has what was packed from others.
std::string ErofsImage::packed_data(std::uint64_t nid,
				    const InodeData &data) const
{
	const Inode packed = inode(nid);

	if (packed.layout == kFlatPlain || packed.layout == kFlatInline)
		return flat_data(packed);
	if (!data)
		unknown("compressed attribute names");
	return data(nid);
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

/// Refuses a directory that ends within a name: where its last block is read
/// whole, the kernel's lookup takes the name as far as it goes, and finds what
/// no list of the directory has.
void ErofsImage::check_end(const Inode &directory) const
{
	if (directory.layout != kFlatPlain ||
	    directory.size % directory_block_size_ == 0)
		return;
	const auto behind =
		bytes_within(directory.block * block_size_ + directory.size, 1);
	if (behind && behind->front() != '\0')
		corrupt("a directory that ends within a name");
}

std::vector<ErofsImage::Entry> ErofsImage::entries(const Inode &inode) const
{
	const std::string all = flat_data(inode);
	std::vector<Entry> found;

	check_end(inode);
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
			const bool last = i + 1 == count;
			const std::size_t begin = name_at(i);
			const std::size_t end =
				last ? block.size() : name_at(i + 1);

			if (begin > end || end > block.size())
				corrupt("a directory's names");
			std::string name = block.substr(begin, end - begin);
			// Only the last may have something behind it.
			if (last)
				name.resize(
					std::min(name.find('\0'), name.size()));
			if (name.empty() || name.size() > NAME_MAX ||
			    name.find('/') != std::string::npos ||
			    name.find('\0') != std::string::npos)
				corrupt("a name in a directory");
			found.push_back({number(block, i * kDirent, 8),
					 std::move(name)});
		}
	}
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

/// Looks at the shared attribute at @where. Returns false if it cannot be read.
std::uint64_t ErofsImage::end_of_metadata() const
{
	return number(super_, kBlocks, 4) * block_size_;
}

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
	if (is_fingerprint(static_cast<std::uint8_t>(number(*head, 1, 1)),
			   text->substr(0, name_size))) {
		found.count++;
		found.value = text->substr(name_size);
	}
	return true;
}

/// Fills in what the attributes of @inode say. Damage there is not the image's
/// end: the kernel, too, only leaves the file unshared.
void ErofsImage::read_fingerprint(const Inode &inode, ErofsFile &file) const
{
	const std::uint64_t size = inode.tail - inode.body;
	Candidates found;

	if (!fingerprint_name_ || size == 0)
		return;
	file.state = FingerprintState::kUnusable;
	if (inode.tail > end_of_metadata())
		return;
	const auto area = bytes_within(inode.body, size);
	if (!area)
		return;
	const std::size_t shared = number(*area, 4, 1);
	const std::size_t entries = kXattrHeader + shared * 4;
	if (entries > size || !add_inline(*area, entries, found))
		return;
	for (std::size_t at = kXattrHeader; at < entries; at += 4)
		if (!add_shared(number(super_, kXattrBlock, 4) * block_size_ +
					number(*area, at, 4) * 4,
				found))
			return;

	if (found.count == 0) {
		file.state = FingerprintState::kNone;
	} else if (found.count > 1) {
		file.state = FingerprintState::kAmbiguous;
	} else if (!found.value.empty() &&
		   found.value.size() <= kMaxFingerprint) {
		file.state = FingerprintState::kOne;
		file.fingerprint = std::move(found.value);
	}
}

std::vector<ErofsFile> ErofsImage::files() const
{
	std::vector<ErofsFile> found;

	visit_files(UINT64_MAX,
		    [&](ErofsFile file) { found.push_back(std::move(file)); });
	return found;
}

bool ErofsImage::visit_files(std::uint64_t most,
			     const std::function<void(ErofsFile)> &visit) const
{
	const std::uint64_t root = number(super_, kRootNid, 2);
	std::vector<Directory> todo = {{root, root, ""}};
	// Whether an inode that was seen is a directory.
	std::map<std::uint64_t, bool> seen = {{root, true}};

	while (!todo.empty()) {
		const Directory directory = std::move(todo.back());

		todo.pop_back();
		for (const Entry &entry : children(directory)) {
			const auto known = seen.find(entry.nid);

			if (known != seen.end()) {
				if (known->second)
					corrupt("a directory with two names");
				continue;
			}
			if (seen.size() >= most)
				return false;
			const Inode child = inode(entry.nid);
			std::string path = directory.prefix + entry.name;

			if (path.size() >= PATH_MAX)
				unknown("a path longer than " +
					std::to_string(PATH_MAX) + " bytes");
			seen[entry.nid] = S_ISDIR(child.mode);
			if (S_ISDIR(child.mode)) {
				todo.push_back(
					{entry.nid, directory.nid, path + "/"});
			} else if (S_ISREG(child.mode)) {
				ErofsFile file = {
					.path = std::move(path),
					.size = child.size,
					.state = FingerprintState::kNone,
					.fingerprint = {},
					.nid = entry.nid};

				read_fingerprint(child, file);
				visit(std::move(file));
			}
		}
	}
	return true;
}

} // namespace erofs_share
