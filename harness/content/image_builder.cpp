// SPDX-License-Identifier: GPL-2.0-only
// Making erofs images from nothing.
#include "content/image_builder.h"

#include "erofs/erofs_format.h"

#include <stdexcept>

namespace erofs_share {

namespace {

constexpr std::uint64_t kMagic = 0xe0f5e1e2;
constexpr std::uint64_t kCompatNameFilter = 0x4;
constexpr std::uint64_t kIncompatPrefixes = 0x40;
/// Where the table of prefixes lies, behind the superblock in any block size.
constexpr std::size_t kPrefixTable = 4096;
constexpr std::size_t kUnit = 4; ///< to which attributes are aligned
constexpr std::uint64_t kDirectoryMode = 0040755;
constexpr std::uint64_t kFileMode = 0100644;
/// A reference to a shared attribute far behind the end.
constexpr std::uint64_t kNowhere = 0x3ffffff0;

/// The index of the inode number in the root's directory, of the type of a
/// file and of a directory.
constexpr std::uint64_t kTypeFile = 1;
constexpr std::uint64_t kTypeDirectory = 2;

void put(std::string &to, std::uint64_t value, std::size_t width)
{
	for (std::size_t i = 0; i < width; i++, value >>= 8)
		to += static_cast<char>(value & 0xff);
}

void set(std::string &in, std::size_t offset, std::uint64_t value,
	 std::size_t width)
{
	std::string bytes;

	put(bytes, value, width);
	in.replace(offset, width, bytes);
}

void align(std::string &text, std::size_t to)
{
	text.append((to - text.size() % to) % to, '\0');
}

void append_attribute(std::string &to, const RawAttribute &attribute)
{
	if (attribute.name.size() > 255 || attribute.value.size() > 65535)
		throw std::length_error("attribute " + attribute.name);
	put(to, attribute.name.size(), 1);
	put(to, attribute.index, 1);
	put(to, attribute.value.size(), 2);
	to += attribute.name + attribute.value;
	align(to, kUnit);
}

class Builder {
      public:
	explicit Builder(const RawImage &image)
	    : image_(image), block_(image.block_size)
	{
	}

	std::string run()
	{
		out_.resize(kPrefixTable);
		append_prefixes();
		append_shared();
		append_inodes();
		append_directory();
		for (std::size_t i = 0; i < image_.files.size(); i++) {
			point(inodes_[i + 1], out_.size() / block_);
			out_ += image_.files[i].data;
			align(out_, block_);
		}
		write_super();
		return std::move(out_);
	}

      private:
	void append_prefixes()
	{
		for (const RawPrefix &prefix : image_.prefixes) {
			put(out_, prefix.infix.size() + 1, 2);
			put(out_, prefix.base, 1);
			out_ += prefix.infix;
			align(out_, kUnit);
		}
		align(out_, block_);
	}

	void append_shared()
	{
		shared_start_ = out_.size();
		for (const RawAttribute &attribute : image_.shared) {
			shared_.push_back((out_.size() - shared_start_) /
					  kUnit);
			append_attribute(out_, attribute);
		}
		// A number of 0 has no meaning for the kernel, but is a place.
		align(out_, block_);
	}

	/// The root directory's inode, then the files'. Each begins a block, so
	/// that callers know where its attributes lie.
	void append_inodes()
	{
		meta_ = out_.size();
		inodes_.push_back(out_.size());
		append_inode(kDirectoryMode, 2, 0, 0);
		for (const RawFile &file : image_.files) {
			std::string area = attribute_area(file);

			align(out_, block_);
			inodes_.push_back(out_.size());
			append_inode(kFileMode, 1, file.data.size(),
				     area.empty() ? 0
						  : (area.size() - 8) / kUnit);
			out_ += area;
		}
		align(out_, block_);
	}

	/// A compact inode with flat data in whole blocks.
	void append_inode(std::uint64_t mode, std::uint64_t links,
			  std::uint64_t size, std::uint64_t xattr_count)
	{
		put(out_, 0, 2); // i_format
		put(out_, xattr_count, 2);
		put(out_, mode, 2);
		put(out_, links, 2);
		put(out_, size, 4);
		put(out_, 0, 4); // i_reserved
		put(out_, 0, 4); // i_u: set by point()
		put(out_, inodes_.size(), 4);
		put(out_, 0, 8); // owner, i_reserved2
	}

	[[nodiscard]] std::string attribute_area(const RawFile &file) const
	{
		std::string area;

		if (file.attributes.empty() && file.shared.empty() &&
		    !file.bare_header)
			return area;
		put(area, file.name_filter, 4);
		put(area, file.shared_count.value_or(file.shared.size()), 1);
		put(area, 0, 7);
		for (const std::size_t which : file.shared)
			put(area,
			    which < shared_.size() ? shared_[which] : kNowhere,
			    4);
		for (const RawAttribute &attribute : file.attributes)
			append_attribute(area, attribute);
		area.resize(area.size() - file.cut);
		return area;
	}

	void append_directory()
	{
		std::string names;
		std::string entries;
		const std::size_t count = image_.files.size() + 2;
		const auto add = [&](const std::string &name, std::size_t inode,
				     std::uint64_t type) {
			put(entries, nid(inodes_[inode]), 8);
			put(entries, count * kDirent + names.size(), 2);
			put(entries, type, 1);
			put(entries, 0, 1);
			names += name;
		};

		add(".", 0, kTypeDirectory);
		add("..", 0, kTypeDirectory);
		for (std::size_t i = 0; i < image_.files.size(); i++)
			add(image_.files[i].name, i + 1, kTypeFile);
		if (entries.size() + names.size() > block_)
			throw std::length_error("directory of an image");
		point(inodes_[0], out_.size() / block_);
		set(out_, inodes_[0] + 8, entries.size() + names.size(), 4);
		out_ += entries + names;
		align(out_, block_);
	}

	/// Lets the data of the inode at @inode begin with block @block.
	void point(std::size_t inode, std::size_t block)
	{
		set(out_, inode + 16, block, 4);
	}

	[[nodiscard]] std::size_t nid(std::size_t inode) const
	{
		return (inode - meta_) / kInodeSlot;
	}

	void write_super()
	{
		std::uint64_t bits = 0;
		std::uint64_t compat =
			kCompatFingerprints | kCompatPlainPrefixes;

		while (std::size_t{1} << bits < block_)
			bits++;
		if (image_.name_filters)
			compat |= kCompatNameFilter;
		set(out_, kSuperOffset, kMagic, 4);
		set(out_, kSuperOffset + kSuperCompat, compat, 4);
		set(out_, kSuperOffset + kSuperBlockBits, bits, 1);
		set(out_, kSuperOffset + 14, nid(inodes_[0]), 2);
		set(out_, kSuperOffset + 16, inodes_.size(), 8);
		set(out_, kSuperOffset + 36, out_.size() / block_, 4);
		set(out_, kSuperOffset + 40, meta_ / block_, 4);
		set(out_, kSuperOffset + 44, shared_start_ / block_, 4);
		set(out_, kSuperOffset + 80, kIncompatPrefixes, 4);
		set(out_, kSuperOffset + kSuperPrefixCount,
		    image_.prefixes.size(), 1);
		set(out_, kSuperOffset + 92, kPrefixTable / kUnit, 4);
		set(out_, kSuperOffset + kSuperFingerprintPrefix,
		    image_.fingerprint_prefix, 1);
	}

	const RawImage &image_;
	const std::size_t block_;
	std::string out_;
	std::size_t shared_start_ = 0;
	std::vector<std::size_t> shared_; ///< numbers of shared attributes
	std::size_t meta_ = 0;
	std::vector<std::size_t> inodes_; ///< offsets: the root's, the files'
};

} // namespace

std::string build_image(const RawImage &image)
{
	return Builder(image).run();
}

} // namespace erofs_share
