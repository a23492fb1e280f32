// SPDX-License-Identifier: GPL-2.0-only
// Reads an erofs image without the kernel: its files, their sizes and their
// fingerprints. Contents are left to image_contents.h.
//
// The format: fs/erofs/erofs_fs.h of Linux 6.12, and for the fingerprints
// include/erofs_fs.h and lib/xattr.c of erofs-utils 1.9. What an image says is
// checked before it is used: it may be anybody's.
#pragma once

#include "fd.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// A regular file of an image.
struct ErofsFile {
	std::string path; ///< below the root, without a leading slash
	std::uint64_t size = 0;
	/// Value of its fingerprint attribute; empty if it has none.
	std::string fingerprint;
};

/// An image in a regular file or on a block device, open for reading.
class ErofsImage {
      public:
	/// Opens @path and reads its superblock, with the help of dump.erofs
	/// where names of attributes are compressed. Throws std::system_error
	/// that names @path: not readable, not erofs (EINVAL), or of a form
	/// that this does not read (EOPNOTSUPP).
	explicit ErofsImage(std::string path);

	/// Whether @path is a file or block device with erofs' magic number.
	static bool probe(const std::string &path);

	/// Name of the attribute that carries fingerprints, as getxattr(2)
	/// wants it; nothing if the image does not declare fingerprints.
	[[nodiscard]] const std::optional<std::string> &fingerprint_name() const
	{
		return fingerprint_name_;
	}
	/// Whether data of several files is packed together in one inode.
	[[nodiscard]] bool has_fragments() const;
	/// All regular files, an inode with several names once, in the order
	/// of the directories. Throws std::system_error (EBADMSG) that names
	/// the image where its structures contradict each other.
	[[nodiscard]] std::vector<ErofsFile> files() const;

      private:
	/// The parts of an inode that files() needs.
	struct Inode {
		std::uint64_t body = 0; ///< where its attributes begin
		std::uint64_t tail = 0; ///< where they end, and inline data is
		std::uint64_t size = 0;
		std::uint32_t block = 0; ///< first block of flat data
		std::uint16_t mode = 0;
		std::uint8_t layout = 0;
	};
	/// A directory entry.
	struct Entry {
		std::uint64_t nid = 0;
		std::string name;
	};
	/// The attribute that is a fingerprint, as the image numbers it.
	struct Attribute {
		std::uint8_t id = 0; ///< of its prefix
		std::uint8_t base = 0;
		std::string name; ///< below the namespace
	};

	void find_fingerprints();
	[[nodiscard]] std::string bytes(std::uint64_t offset,
					std::uint64_t length) const;
	[[nodiscard]] Inode inode(std::uint64_t nid) const;
	[[nodiscard]] std::string flat_data(const Inode &inode) const;
	[[nodiscard]] std::string packed_data(std::uint64_t nid) const;
	[[nodiscard]] std::vector<Entry> entries(const Inode &inode) const;
	[[nodiscard]] std::string fingerprint(const Inode &inode) const;
	[[nodiscard]] std::optional<std::string>
	attribute_value(const std::string &area, std::size_t at,
			std::size_t *end) const;
	[[noreturn]] void corrupt(const std::string &what) const;
	[[noreturn]] void unknown(const std::string &what) const;

	std::string path_;
	UniqueFd fd_;
	std::string super_;
	std::uint64_t block_size_ = 0;
	std::uint64_t directory_block_size_ = 0;
	std::optional<std::string> fingerprint_name_;
	Attribute attribute_;
};

} // namespace erofs_share
