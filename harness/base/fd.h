// SPDX-License-Identifier: GPL-2.0-only
// Owned file descriptors, and whole-buffer reads and writes on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace erofs_share {

/// Owns one file descriptor and closes it when it goes out of scope.
class UniqueFd {
      public:
	UniqueFd() = default;
	/// Takes ownership of @fd; a negative value means "none".
	explicit UniqueFd(int fd) : fd_(fd)
	{
	}
	UniqueFd(const UniqueFd &) = delete;
	UniqueFd &operator=(const UniqueFd &) = delete;
	UniqueFd(UniqueFd &&other) noexcept : fd_(std::exchange(other.fd_, -1))
	{
	}
	UniqueFd &operator=(UniqueFd &&other) noexcept
	{
		if (this != &other) {
			reset();
			fd_ = std::exchange(other.fd_, -1);
		}
		return *this;
	}
	~UniqueFd()
	{
		reset();
	}

	/// The descriptor, still owned by this object; -1 if there is none.
	[[nodiscard]] int get() const
	{
		return fd_;
	}
	[[nodiscard]] bool valid() const
	{
		return fd_ >= 0;
	}
	/// Closes the descriptor now.
	void reset();

      private:
	int fd_ = -1;
};

/// Opens @path (O_CLOEXEC added). Throws, naming the path, when that fails.
UniqueFd open_file(const std::string &path, int flags, unsigned int mode = 0);

/// The whole of a small file, such as one in /proc. Throws on any error.
std::string read_text(const std::string &path);

/// Writes all of @text to an existing file, such as one in /proc or /sys.
void write_text(const std::string &path, const std::string &text);

/// Makes the file @path, or makes it anew, with @text in it. Throws.
void write_file(const std::string &path, const std::string &text);

/// Reads up to @buffer.size() bytes at @offset; short only at the end of the
/// file. Returns the number of bytes; @path is used in the error only.
std::size_t read_at(int fd, std::span<std::byte> buffer, std::uint64_t offset,
		    const std::string &path);

/// Writes all of @buffer at the descriptor's position. Throws on any error.
void write_all(int fd, std::span<const std::byte> buffer,
	       const std::string &path);

} // namespace erofs_share
