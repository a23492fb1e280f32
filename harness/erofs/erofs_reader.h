// SPDX-License-Identifier: GPL-2.0-only
// Reads an erofs image without the kernel: its files, their sizes and their
// fingerprints. Contents are left to image_contents.h.
//
// The format: fs/erofs/erofs_fs.h of Linux 6.12, and for the fingerprints
// include/erofs_fs.h and lib/xattr.c of erofs-utils 1.9. What an image says is
// checked before it is used: it may be anybody's.
#pragma once

#include "base/fd.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// What the attributes of a file say about its contents. The kernel goes by the
/// same rule, and shares files of the first kind only.
enum class FingerprintState : std::uint8_t {
	kOne,  ///< one attribute resolves to the fingerprint's name
	kNone, ///< none does
	/// Two or more do, equal or not: nobody can tell which one is true.
	kAmbiguous,
	/// The value is empty or too long, or an attribute cannot be read.
	kUnusable,
};

/// Where the data of an inode is, as the image says; nothing of it is checked.
struct DataPlace {
	std::uint64_t size = 0;
	std::uint64_t block = 0;	///< first block of flat data
	std::uint64_t tail = 0;		///< byte behind the inode's attributes
	std::uint16_t chunk_format = 0; ///< of a file in chunks
	std::uint8_t layout = 0;	///< EROFS_INODE_ of erofs_fs.h

	/// Whether only a program that knows the algorithms can read it.
	[[nodiscard]] bool compressed() const
	{
		return layout == 1 || layout == 3;
	}
};

/// A further device of an image, as its table has it.
struct DeviceSlot {
	std::uint64_t blocks = 0;
	/// The block of the image's own device where its data would begin if
	/// it were there; 0 if it has no such place.
	std::uint64_t start = 0;
};

/// A regular file of an image.
struct ErofsFile {
	std::string path; ///< below the root, without a leading slash
	std::uint64_t size = 0;
	FingerprintState state = FingerprintState::kNone;
	/// The fingerprint; empty unless @state is kOne.
	std::string fingerprint;
	std::uint64_t nid = 0; ///< number of its inode
	DataPlace data = {};
};

/// Opens the regular file or block device @path for reading; a FIFO, a socket
/// or a terminal is refused, and nobody waits for its other end. Throws.
UniqueFd open_image_file(const std::string &path);

/// Bytes of the open file or block device @fd. Throws where it is neither.
std::uint64_t image_size(int fd, const std::string &path);

/// An extended attribute of an image.
struct ErofsAttribute {
	std::string name; ///< as getxattr(2) wants it
	std::string value;
	/// Whether it resolves to the name that carries fingerprints.
	bool fingerprint = false;

	bool operator<(const ErofsAttribute &other) const
	{
		return name < other.name;
	}
};

/// All that an image says of one inode, but the contents of its file.
struct ErofsNode {
	std::uint64_t nid = 0; ///< number of the inode
	std::uint32_t mode = 0;
	std::uint32_t links = 0; ///< as the image has it
	std::uint32_t uid = 0;
	std::uint32_t gid = 0;
	std::int64_t seconds = 0; ///< of the modification time
	std::uint32_t nanoseconds = 0;
	std::uint64_t size = 0;
	unsigned int major = 0; ///< of a device
	unsigned int minor = 0;
	std::string target;	 ///< of a symbolic link
	bool compressed = false; ///< the contents
	/// Bytes of a chunk, where the contents are in chunks; else 0.
	std::uint64_t chunk = 0;
	std::vector<ErofsAttribute> attributes; ///< by name
};

/// An image in a regular file or on a block device, open for reading.
class ErofsImage {
      public:
	/// Gives @length bytes at @offset of the data of the inode of a number,
	/// where it is compressed; less where it ends.
	using InodeData = std::function<std::string(
		std::uint64_t nid, std::uint64_t offset, std::uint64_t length)>;

	/// Reads the superblock of the image in @fd, which messages call @path.
	/// Names of attributes may be compressed: @data is asked for them then.
	/// Throws std::system_error that names @path: not readable, not erofs
	/// (EINVAL), or of a form that this does not read (EOPNOTSUPP).
	explicit ErofsImage(UniqueFd fd, std::string path,
			    const InodeData &data = nullptr);

	/// Whether @path is a file or block device with erofs' magic number.
	static bool probe(const std::string &path);

	/// Name of the attribute that carries fingerprints, for people; nothing
	/// if the image does not declare fingerprints.
	[[nodiscard]] const std::optional<std::string> &fingerprint_name() const
	{
		return fingerprint_name_;
	}
	/// Whether that attribute is one that user space cannot see.
	[[nodiscard]] bool has_hidden_fingerprints() const
	{
		return fingerprint_name_ && wanted_.base == 0;
	}
	/// Whether data of several files is packed together in one inode.
	[[nodiscard]] bool has_fragments() const;
	/// How many other devices or files have data of the image.
	[[nodiscard]] std::size_t extra_devices() const;
	/// What the image says of them. Throws where its table is not there.
	[[nodiscard]] std::vector<DeviceSlot> devices() const;
	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}
	/// The open file or device.
	[[nodiscard]] int fd() const
	{
		return fd_.get();
	}
	/// Its bytes when it was opened.
	[[nodiscard]] std::uint64_t size() const
	{
		return size_;
	}
	[[nodiscard]] std::uint64_t block_size() const
	{
		return block_size_;
	}
	/// All regular files, an inode with several names once, in the order
	/// of the directories. Throws std::system_error (EBADMSG) that names
	/// the image where its directories or inodes contradict each other.
	[[nodiscard]] std::vector<ErofsFile> files() const;
	/// Hands these files to @visit one by one, and stops behind @most
	/// inodes of any kind. Returns whether those were all. Throws as
	/// files().
	bool visit_files(std::uint64_t most,
			 const std::function<void(ErofsFile)> &visit) const;
	/// Hands each name of the image to @visit, with its inode: the root
	/// first, as "", and a directory before what is in it, each in the
	/// order of its entries. Names of one inode come with one nid. Throws
	/// as files(), and where an attribute has no name that getxattr(2)
	/// knows, or is there twice.
	void visit_nodes(
		const std::function<void(const std::string &path,
					 const ErofsNode &node)> &visit) const;
	/// Reads the names of attributes, which visit_nodes() needs. @data as
	/// for the constructor.
	void need_attribute_names(const InodeData &data = nullptr);
	/// The name that was given to it, up to 16 bytes.
	[[nodiscard]] std::string label() const;

      private:
	/// The parts of an inode that files() needs.
	struct Inode {
		std::uint64_t body = 0; ///< where its attributes begin
		std::uint16_t mode = 0;
		DataPlace data;
	};
	/// A directory entry.
	struct Entry {
		std::uint64_t nid = 0;
		std::string name;
	};
	/// A directory that was found. Only its own name is kept: a path for
	/// each would be as long as the tree is deep.
	struct Directory {
		std::uint64_t nid = 0;
		std::uint64_t parent = 0; ///< number of the parent's inode
		std::size_t above = 0;	  ///< index of the parent
		std::string name;
		std::size_t path_size = 0; ///< of its path with a slash behind
	};
	using Directories = std::vector<Directory>;
	/// A name of an attribute, or the start of one.
	struct AttributeName {
		std::uint8_t base = 0; ///< number of the namespace
		std::string rest;

		bool operator==(const AttributeName &) const = default;
	};
	/// The attributes of a file that have the fingerprint's name.
	struct Candidates {
		std::size_t count = 0;
		std::string value;	 ///< of the last
		std::uint64_t bytes = 0; ///< read from elsewhere
	};

	void find_fingerprints(const InodeData &data);
	void read_prefixes(const InodeData &data);
	[[nodiscard]] std::string bytes(std::uint64_t offset,
					std::uint64_t length) const;
	[[nodiscard]] std::optional<std::string>
	bytes_within(std::uint64_t offset, std::uint64_t length) const;
	[[nodiscard]] Inode inode(std::uint64_t nid) const;
	[[nodiscard]] std::string flat_part(const DataPlace &data,
					    std::uint64_t from,
					    std::uint64_t length) const;
	[[nodiscard]] std::string packed_part(std::uint64_t nid,
					      std::uint64_t from,
					      std::uint64_t length,
					      const InodeData &data) const;
	void check_end(const Inode &directory) const;
	/// What a tree takes, which is all read before anybody uses it.
	struct Spent {
		std::uint64_t names = 0;
		std::uint64_t paths = 0;      ///< bytes
		std::uint64_t attributes = 0; ///< bytes
	};
	void check_spent(const Spent &spent) const;
	[[nodiscard]] std::vector<Entry> entries(const Inode &inode) const;
	void add_entries(const std::string &block,
			 std::vector<Entry> &found) const;
	[[nodiscard]] static std::string path_of(const Directories &all,
						 std::size_t directory,
						 const std::string &name);
	[[nodiscard]] std::vector<Entry>
	children(const Directory &directory) const;
	std::uint64_t read_fingerprint(const Inode &inode,
				       ErofsFile &file) const;
	bool add_inline(const std::string &area, std::size_t at,
			Candidates &found) const;
	/// Where the image says that it ends; a device may go on behind it.
	[[nodiscard]] std::uint64_t end_of_metadata() const;
	bool add_shared(std::uint64_t where, Candidates &found) const;
	[[nodiscard]] bool is_fingerprint(std::uint8_t index,
					  const std::string &name) const;
	[[nodiscard]] ErofsNode node(std::uint64_t nid,
				     const std::string &path) const;
	[[nodiscard]] std::vector<ErofsAttribute>
	attributes(const Inode &inode, const std::string &path) const;
	[[nodiscard]] ErofsAttribute attribute(std::uint8_t index,
					       const std::string &rest,
					       std::string value,
					       const std::string &path) const;
	[[noreturn]] void corrupt(const std::string &what) const;
	[[noreturn]] void unknown(const std::string &what) const;

	std::string path_;
	UniqueFd fd_;
	std::string super_;
	/// The bytes that were read last, and where they begin.
	mutable std::string window_;
	mutable std::uint64_t window_at_ = 0;
	std::uint64_t size_ = 0;
	std::uint64_t block_size_ = 0;
	std::uint64_t directory_block_size_ = 0;
	std::optional<std::string> fingerprint_name_;
	std::vector<AttributeName> prefixes_;
	AttributeName wanted_; ///< the fingerprint's
};

} // namespace erofs_share
