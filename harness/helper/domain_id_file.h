// SPDX-License-Identifier: GPL-2.0-only
// A domain id read from a file that only its owner can read, or from a
// descriptor, for the mount helper. Nothing but the kernel sees the id: it lies
// in one page that is locked, left out of core dumps and wiped.
#pragma once

#include "base/fd.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace erofs_share {

/// The longest domain id, in bytes.
inline constexpr std::size_t kDomainIdMax = 255;

/// The descriptor that @path stands for (/dev/fd/N, /proc/self/fd/N,
/// /dev/stdin); nothing if it is a path like any other.
std::optional<int> descriptor_in(const std::string &path);

/// The id in a file, as long as this object lives.
class DomainIdFile {
      public:
	/// Opens @path, as open_trusted() does, and checks what it is: a
	/// regular file of root or the caller, without any permission for group
	/// and others; a descriptor may also be a pipe or a socket. Throws
	/// MountFailure, which names the file.
	explicit DomainIdFile(const std::string &path);
	DomainIdFile(const DomainIdFile &) = delete;
	DomainIdFile &operator=(const DomainIdFile &) = delete;
	DomainIdFile(DomainIdFile &&) = delete;
	DomainIdFile &operator=(DomainIdFile &&) = delete;
	/// Wipes the id.
	~DomainIdFile();

	/// Reads the id, less one newline at its end: 1 to 255 bytes without
	/// comma, newline or NUL. Throws MountFailure, which names the file and
	/// never says what is in it.
	void load();
	/// Forgets the id.
	void wipe();

	/// The id, NUL-terminated, in memory of this object; for after load().
	[[nodiscard]] const char *c_str() const
	{
		return text_;
	}
	/// The id of another domain, which only who has this id can find: its
	/// HMAC-SHA256 of @purpose, in hexadecimal digits. NUL-terminated, in
	/// the same memory, until the next call.
	[[nodiscard]] const char *derive(std::string_view purpose);

      private:
	std::size_t read_all();
	void check_content(std::size_t size);

	std::string path_;
	UniqueFd opened_;
	int fd_ = -1; ///< @opened_, or the caller's
	char *text_ = nullptr;
};

} // namespace erofs_share
