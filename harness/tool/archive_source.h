// SPDX-License-Identifier: GPL-2.0-only
// Tar archives as what an image would be made of: hashed as they are read,
// nothing of them comes to a disk.
#pragma once

#include "base/fd.h"
#include "tool/estimate.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace erofs_share {

/// What whiteouts in an archive are.
enum class Whiteouts : std::uint8_t {
	kFiles,	 ///< files like others, as mkfs.erofs --tar=f takes them
	kRemove, ///< they remove what is below, as in an OCI image's layer
};

/// An archive that is open.
struct ArchiveFile {
	UniqueFd fd;
	std::uint64_t size = 0; ///< as far as it is read
	std::string name;	///< in messages
	/// 64 digits of the SHA-256 that its bytes must have; empty for any.
	std::string digest;
};

/// Opens the archive @path; a FIFO is not waited for. Throws std::system_error
/// that names it.
ArchiveFile open_archive(const std::string &path);

/// The tree that archives make, one over the other. What archives say may be
/// anybody's: names and sizes have bounds, and root's rights are given up
/// before one is read.
class ArchiveTree {
      public:
	/// Adds what is in @archive, which may be compressed by gzip, bzip2, xz
	/// or zstd. Throws std::system_error that names it, and the member that
	/// cannot be.
	void add(const ArchiveFile &archive, Whiteouts whiteouts);
	/// Its files that are not empty, each once, by their first names.
	[[nodiscard]] std::vector<SourceFile> files() const;

	/// A member of an archive.
	struct Member {
		/// What it is to the tree.
		enum class Kind : std::uint8_t {
			kFile,
			kLink, ///< another name of @link
			kDirectory,
			kOther, ///< a symbolic link, a device
		};
		Kind kind = Kind::kOther;
		std::string path;
		std::string link;
		std::uint64_t size = 0;
		std::string fingerprint; ///< empty where there are no contents
	};

      private:
	/// What has a name.
	struct Node {
		Member::Kind kind = Member::Kind::kOther;
		/// Equal for all names of one file.
		std::uint64_t number = 0;
		std::uint64_t size = 0;
		std::string fingerprint;
	};

	void put(const Member &member, const std::string &name,
		 Whiteouts whiteouts);
	void need_parents(const std::string &path, const std::string &name,
			  Whiteouts whiteouts);
	void remove_below(const std::string &path);
	void count_names(std::uint64_t bytes, const std::string &name);
	void white_out(const std::string &path);

	std::map<std::string, Node> nodes_;
	std::uint64_t numbers_ = 0;
	std::uint64_t name_bytes_ = 0;
	std::uint64_t content_bytes_ = 0;
};

} // namespace erofs_share
