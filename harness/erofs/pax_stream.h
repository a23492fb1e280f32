// SPDX-License-Identifier: GPL-2.0-only
// Writes a tree as a tar archive in pax format, as mkfs.erofs --tar=f reads it:
// nothing of a file's name, owner, time or attributes is cut or rounded.
#pragma once

#include "erofs/erofs_reader.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace erofs_share {

/// An archive that goes to a descriptor, member by member.
class PaxStream {
      public:
	/// Writes to @fd, which messages call @name. SIGPIPE must be ignored.
	PaxStream(int fd, std::string name);

	/// Begins the member @path ("" is the root) that is @node, without the
	/// attributes that carry fingerprints. The contents of a regular file
	/// follow by data(). Throws as all of these where it cannot be written.
	void begin(const std::string &path, const ErofsNode &node);
	/// Adds the name @path to the member @first.
	void link(const std::string &path, const std::string &first);
	/// The next bytes of the file that was begun.
	void data(std::span<const std::byte> bytes);
	/// Ends the contents of the file.
	void end_data();
	/// Ends the archive.
	void end();

      private:
	void member(char type, const std::string &records, std::uint64_t size,
		    const ErofsNode &node);
	void flush();

	int fd_;
	std::string name_;
	std::string buffer_;
	std::uint64_t bytes_ = 0; ///< of the contents that came
};

/// Whether PaxStream can say what @attribute is called.
bool pax_can_name(const ErofsAttribute &attribute);

} // namespace erofs_share
