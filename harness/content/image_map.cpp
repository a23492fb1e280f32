// SPDX-License-Identifier: GPL-2.0-only
// Finding the structures of an erofs image.
#include "content/image_map.h"

#include "erofs/erofs_format.h"

#include <algorithm>
#include <deque>
#include <set>
#include <stdexcept>

namespace erofs_share {

namespace {

// The names below are the kernel's, in fs/erofs/erofs_fs.h.
constexpr std::uint64_t kCompressionConfigs = 0x2;
constexpr std::size_t kDeviceSlot = 128;
constexpr std::size_t kMapHeader = 8;
constexpr std::size_t kDigestSize = 39;
constexpr std::uint64_t kTypeMask = 0170000;
constexpr std::uint64_t kDirectory = 0040000;
constexpr std::uint64_t kRegular = 0100000;
constexpr std::uint64_t kLink = 0120000;

enum Layout : std::uint8_t {
	kFlatPlain = 0,
	kCompressedFull = 1,
	kFlatInline = 2,
	kCompressedCompact = 3,
	kChunkBased = 4,
};

struct Part {
	const char *name;
	std::size_t offset;
	std::size_t width;
};

constexpr std::array<Part, 26> kSuperParts = {{
	{"magic", 0, 4},
	{"checksum", 4, 4},
	{"feature_compat", 8, 4},
	{"blkszbits", 12, 1},
	{"sb_extslots", 13, 1},
	{"root_nid", 14, 2},
	{"inos", 16, 8},
	{"build_time", 24, 8},
	{"build_time_nsec", 32, 4},
	{"blocks", 36, 4},
	{"meta_blkaddr", 40, 4},
	{"xattr_blkaddr", 44, 4},
	{"uuid", 48, 16},
	{"volume_name", 64, 16},
	{"feature_incompat", 80, 4},
	{"available_compr_algs", 84, 2},
	{"extra_devices", 86, 2},
	{"devt_slotoff", 88, 2},
	{"dirblkbits", 90, 1},
	{"xattr_prefix_count", 91, 1},
	{"xattr_prefix_start", 92, 4},
	{"packed_nid", 96, 8},
	{"xattr_filter_reserved", 104, 1},
	// erofs-utils 1.9: which prefix is that of the fingerprints
	{"ishare_xattr_prefix_id", 105, 1},
	{"reserved", 106, 2},
	{"reserved2", 108, 20},
}};

constexpr std::array<Part, 9> kCompactParts = {{
	{"i_format", 0, 2},
	{"i_xattr_icount", 2, 2},
	{"i_mode", 4, 2},
	{"i_nlink", 6, 2},
	{"i_size", 8, 4},
	{"i_reserved", 12, 4},
	{"i_ino", 20, 4},
	{"i_uid", 24, 2},
	{"i_gid", 26, 2},
}};

constexpr std::array<Part, 11> kExtendedParts = {{
	{"i_format", 0, 2},
	{"i_xattr_icount", 2, 2},
	{"i_mode", 4, 2},
	{"i_reserved", 6, 2},
	{"i_size", 8, 8},
	{"i_ino", 20, 4},
	{"i_uid", 24, 4},
	{"i_gid", 28, 4},
	{"i_mtime", 32, 8},
	{"i_mtime_nsec", 40, 4},
	{"i_nlink", 44, 4},
}};

std::size_t align(std::size_t value, std::size_t to)
{
	return (value + to - 1) / to * to;
}

/// What an inode's header says, and where what follows it lies.
struct Inode {
	std::size_t offset = 0;
	std::size_t end = 0;  ///< of the header
	std::size_t body = 0; ///< of the attributes as well
	Layout layout = kFlatPlain;
	std::uint64_t mode = 0;
	std::uint64_t size = 0;
	std::uint64_t xattrs = 0;
};

class Mapper {
      public:
	explicit Mapper(std::span<const std::byte> image) : image_(image)
	{
		super();
		block_ = std::size_t{1}
			 << at(kSuperOffset + kSuperBlockBits, 1);
		meta_ = at(kSuperOffset + 40, 4) * block_;
		shared_ = at(kSuperOffset + 44, 4) * block_;
		compression_configs();
		devices();
		prefixes();
	}

	std::vector<Field> run()
	{
		add_inode(at(kSuperOffset + 14, 2));
		if (const std::uint64_t packed = at(kSuperOffset + 96, 8);
		    packed != 0)
			add_inode(packed);
		while (!todo_.empty()) {
			const std::uint64_t nid = todo_.front();

			todo_.pop_front();
			inode(nid);
		}
		add(Structure::kData, "data", 0, image_.size());
		return std::move(fields_);
	}

      private:
	[[nodiscard]] std::uint64_t at(std::size_t offset,
				       std::size_t width) const
	{
		return read_number(image_, offset, width);
	}

	void add(Structure structure, const char *name, std::size_t offset,
		 std::size_t width)
	{
		if (width == 0)
			return;
		if (offset > image_.size() || width > image_.size() - offset)
			throw std::out_of_range(
				std::string("erofs image: ") + name + " at " +
				std::to_string(offset) + " is outside of it");
		fields_.push_back({structure, name, offset, width});
	}

	void add_inode(std::uint64_t nid)
	{
		if (seen_.insert(nid).second)
			todo_.push_back(nid);
	}

	void super()
	{
		for (const Part &part : kSuperParts)
			add(Structure::kSuper, part.name,
			    kSuperOffset + part.offset, part.width);
	}

	/// A length and that many bytes for each algorithm in use.
	void compression_configs()
	{
		if ((at(kSuperOffset + 80, 4) & kCompressionConfigs) == 0)
			return;
		std::uint64_t algorithms = at(kSuperOffset + 84, 2);
		std::size_t offset = kSuperOffset + kSuperSize +
				     16 * at(kSuperOffset + 13, 1);

		for (; algorithms != 0; algorithms &= algorithms - 1) {
			const std::size_t length = at(offset, 2);

			add(Structure::kCompression, "length", offset, 2);
			// Whatever the algorithm: its first numbers.
			for (std::size_t i = 0;
			     i < std::min<std::size_t>(length, 8); i += 2)
				add(Structure::kCompression, "config",
				    offset + 2 + i, 2);
			offset = align(offset + 2 + length, 4);
		}
	}

	void devices()
	{
		const std::size_t count = at(kSuperOffset + 86, 2);
		const std::size_t first =
			at(kSuperOffset + 88, 2) * kDeviceSlot;

		for (std::size_t i = 0; i < count; i++) {
			const std::size_t slot = first + i * kDeviceSlot;

			add(Structure::kDevice, "tag", slot, 64);
			add(Structure::kDevice, "blocks", slot + 64, 4);
			add(Structure::kDevice, "mapped_blkaddr", slot + 68, 4);
		}
	}

	void prefixes()
	{
		const std::size_t count = at(kSuperOffset + 91, 1);
		std::size_t offset = at(kSuperOffset + 92, 4) << 2;

		// Else it lies in the packed inode, which may be compressed.
		if (at(kSuperOffset + 96, 8) != 0 &&
		    (at(kSuperOffset + kSuperCompat, 4) &
		     kCompatPlainPrefixes) == 0)
			return;
		for (std::size_t i = 0; i < count; i++) {
			const std::size_t length = at(offset, 2);

			add(Structure::kPrefix, "length", offset, 2);
			add(Structure::kPrefix, "base_index", offset + 2, 1);
			add(Structure::kPrefix, "infix", offset + 3,
			    length - 1);
			offset = align(offset + 2 + length, 4);
		}
	}

	void inode(std::uint64_t nid)
	{
		const Inode inode = header(meta_ + nid * kInodeSlot);

		xattrs(inode);
		switch (inode.layout) {
		case kFlatPlain:
		case kFlatInline:
			flat(inode);
			break;
		case kChunkBased:
			chunks(inode);
			break;
		case kCompressedFull:
		case kCompressedCompact:
			compressed(inode);
			break;
		}
	}

	Inode header(std::size_t offset)
	{
		const std::uint64_t format = at(offset, 2);
		const bool extended = (format & 1) != 0;
		const std::span<const Part> parts =
			extended ? std::span<const Part>(kExtendedParts)
				 : std::span<const Part>(kCompactParts);
		Inode inode;

		for (const Part &part : parts)
			add(Structure::kInode, part.name, offset + part.offset,
			    part.width);
		inode.offset = offset;
		inode.layout = static_cast<Layout>(format >> 1 & 7);
		inode.mode = at(offset + 4, 2);
		inode.size = at(offset + 8, extended ? 8 : 4);
		inode.xattrs = at(offset + 2, 2);
		inode.end = offset + (extended ? 64 : 32);
		inode.body = inode.end +
			     (inode.xattrs == 0 ? 0 : 8 + 4 * inode.xattrs);
		if (inode.layout == kChunkBased) {
			add(Structure::kInode, "i_u.c.format", offset + 16, 2);
			add(Structure::kInode, "i_u.c.reserved", offset + 18,
			    2);
		} else {
			add(Structure::kInode, "i_u", offset + 16, 4);
		}
		return inode;
	}

	void xattrs(const Inode &inode)
	{
		if (inode.xattrs == 0)
			return;
		const std::size_t shared = at(inode.end + 4, 1);
		std::size_t offset = inode.end + 12;

		add(Structure::kXattrHeader, "h_name_filter", inode.end, 4);
		add(Structure::kXattrHeader, "h_shared_count", inode.end + 4,
		    1);
		add(Structure::kXattrHeader, "h_reserved2", inode.end + 5, 7);
		for (std::size_t i = 0; i < shared; i++, offset += 4) {
			add(Structure::kSharedXattr, "h_shared_xattrs", offset,
			    4);
			if (const std::uint64_t id = at(offset, 4);
			    shared_seen_.insert(id).second)
				xattr_entry(shared_ + 4 * id);
		}
		while (offset + 4 <= inode.body)
			offset = xattr_entry(offset);
	}

	/// Returns the end of the entry at @offset.
	std::size_t xattr_entry(std::size_t offset)
	{
		const std::size_t name = at(offset, 1);
		const std::size_t value = at(offset + 2, 2);
		const std::size_t start = offset + 4 + name;

		add(Structure::kXattrEntry, "e_name_len", offset, 1);
		add(Structure::kXattrEntry, "e_name_index", offset + 1, 1);
		add(Structure::kXattrEntry, "e_value_size", offset + 2, 2);
		add(Structure::kXattrEntry, "e_name", offset + 4, name);
		add(value == kDigestSize && at(start, 7) == kDigestWord
			    ? Structure::kFingerprint
			    : Structure::kXattrEntry,
		    "e_value", start, value);
		return align(start + value, 4);
	}

	/// "sha256:", with which mkfs.erofs starts its fingerprints.
	static constexpr std::uint64_t kDigestWord = 0x3a363532616873;

	void flat(const Inode &inode)
	{
		const bool is_inline = inode.layout == kFlatInline;
		const std::size_t tail = is_inline ? inode.size % block_ : 0;
		const std::size_t start = at(inode.offset + 16, 4) * block_;
		const std::uint64_t type = inode.mode & kTypeMask;

		if (type != kDirectory && type != kRegular && type != kLink)
			return;
		if (type != kDirectory) {
			add(Structure::kTail,
			    type == kLink ? "link" : "inline data", inode.body,
			    tail);
			return;
		}
		for (std::size_t done = 0; done < inode.size;) {
			const std::size_t length =
				std::min(block_, inode.size - done);

			directory_block(length < block_ && is_inline
						? inode.body
						: start + done,
					length);
			done += length;
		}
	}

	void directory_block(std::size_t offset, std::size_t length)
	{
		const std::size_t names = at(offset + 8, 2);

		for (std::size_t i = 0; i + kDirent <= names; i += kDirent) {
			const std::size_t entry = offset + i;

			add(Structure::kDirent, "nid", entry, 8);
			add(Structure::kDirent, "nameoff", entry + 8, 2);
			add(Structure::kDirent, "file_type", entry + 10, 1);
			add_inode(at(entry, 8));
		}
		add(Structure::kDirent, "names", offset + names,
		    length - names);
	}

	void chunks(const Inode &inode)
	{
		const std::uint64_t format = at(inode.offset + 16, 2);
		const std::size_t chunk = block_ << (format & 0x1f);
		const bool indexes = (format & 0x20) != 0;
		const std::size_t unit = indexes ? 8 : 4;
		std::size_t offset = align(inode.body, unit);

		for (std::size_t i = 0; i < (inode.size + chunk - 1) / chunk;
		     i++, offset += unit) {
			if (indexes) {
				add(Structure::kChunk, "advise", offset, 2);
				add(Structure::kChunk, "device_id", offset + 2,
				    2);
			}
			add(Structure::kChunk, "blkaddr", offset + unit - 4, 4);
		}
	}

	void compressed(const Inode &inode)
	{
		const std::size_t start = align(inode.body, 8);
		const std::size_t end = start + kMapHeader;
		const std::uint64_t advise = at(start + 4, 2);
		const std::uint64_t bits = at(start + 7, 1);
		const std::size_t cluster = block_ << (bits & 0xf);
		const std::size_t count = (inode.size + cluster - 1) / cluster;

		// h_fragmentoff, or two shorter ones
		add(Structure::kMapHeader, "h_fragmentoff", start, 4);
		add(Structure::kMapHeader, "h_idata_size", start + 2, 2);
		add(Structure::kMapHeader, "h_advise", start + 4, 2);
		add(Structure::kMapHeader, "h_algorithmtype", start + 6, 1);
		add(Structure::kMapHeader, "h_clusterbits", start + 7, 1);
		// The whole file is a fragment: it has no index.
		if ((bits & 0x80) != 0)
			return;
		const std::size_t data =
			inode.layout == kCompressedFull
				? full_index(end + 8, count)
				: compact_index(end, count, (advise & 1) != 0);
		if ((advise & 8) != 0)
			add(Structure::kTail, "inline pcluster", data,
			    at(start + 2, 2));
	}

	/// Returns its end.
	std::size_t full_index(std::size_t offset, std::size_t count)
	{
		for (std::size_t i = 0; i < count; i++, offset += 8) {
			add(Structure::kIndex, "di_advise", offset, 2);
			add(Structure::kIndex, "di_clusterofs", offset + 2, 2);
			add(Structure::kIndex, "di_u", offset + 4, 4);
		}
		return offset;
	}

	/// Packs of 2 entries in 8 bytes up to the next multiple of 32, then,
	/// if @two, as many packs of 16 in 32 bytes as there are, then of 2
	/// again. A pack's last 4 bytes are a block address.
	std::size_t compact_index(std::size_t offset, std::size_t count,
				  bool two)
	{
		const std::size_t before = (32 - offset % 32) / 4 % 8;
		const std::size_t packed =
			two && before < count ? (count - before) / 16 * 16 : 0;
		const std::size_t end =
			offset + align((count - packed) * 4 + packed * 2, 8);

		for (; offset + 4 <= end; offset += 4)
			add(Structure::kIndex, "compact index", offset, 4);
		return offset;
	}

	std::span<const std::byte> image_;
	std::size_t block_ = 0;
	std::size_t meta_ = 0;
	std::size_t shared_ = 0;
	std::vector<Field> fields_;
	std::deque<std::uint64_t> todo_;
	std::set<std::uint64_t> seen_;
	std::set<std::uint64_t> shared_seen_;
};

} // namespace

std::uint64_t read_number(std::span<const std::byte> image, std::size_t offset,
			  std::size_t width)
{
	std::uint64_t value = 0;

	if (offset > image.size() || width > image.size() - offset)
		throw std::out_of_range("erofs image: offset " +
					std::to_string(offset) +
					" is outside of it");
	for (std::size_t i = width; i-- > 0;)
		value = value << 8 |
			std::to_integer<std::uint64_t>(image[offset + i]);
	return value;
}

std::vector<Field> map_image(std::span<const std::byte> image)
{
	return Mapper(image).run();
}

} // namespace erofs_share
