// SPDX-License-Identifier: GPL-2.0-only
// Owned file descriptors: opening, reading and writing whole buffers.
#include "base/fd.h"

#include "base/error.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace erofs_share {

void UniqueFd::reset()
{
	if (fd_ >= 0)
		close(std::exchange(fd_, -1));
}

UniqueFd open_file(const std::string &path, int flags, unsigned int mode)
{
	const int fd = open(path.c_str(), flags | O_CLOEXEC, mode);

	if (fd < 0)
		throw_errno("open " + path);
	return UniqueFd(fd);
}

std::string read_text(const std::string &path)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	std::array<char, 16384> buffer{};
	std::string text;

	for (;;) {
		const ssize_t got =
			read(fd.get(), buffer.data(), buffer.size());

		if (got < 0)
			throw_errno("read " + path);
		if (got == 0)
			return text;
		text.append(buffer.data(), static_cast<std::size_t>(got));
	}
}

void write_text(const std::string &path, const std::string &text)
{
	const UniqueFd fd = open_file(path, O_WRONLY);

	write_all(fd.get(), std::as_bytes(std::span(text)), path);
}

void write_file(const std::string &path, const std::string &text)
{
	const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	write_all(fd.get(), std::as_bytes(std::span(text)), path);
}

std::size_t read_at(int fd, std::span<std::byte> buffer, std::uint64_t offset,
		    const std::string &path)
{
	std::size_t done = 0;

	while (done < buffer.size()) {
		const ssize_t got =
			pread(fd, buffer.data() + done, buffer.size() - done,
			      static_cast<off_t>(offset + done));

		if (got < 0) {
			if (errno == EINTR)
				continue;
			throw_errno("read " + path + " at offset " +
				    std::to_string(offset + done));
		}
		if (got == 0)
			break;
		done += static_cast<std::size_t>(got);
	}
	return done;
}

void write_all(int fd, std::span<const std::byte> buffer,
	       const std::string &path)
{
	while (!buffer.empty()) {
		const ssize_t put = write(fd, buffer.data(), buffer.size());

		if (put < 0) {
			if (errno == EINTR)
				continue;
			throw_errno("write " + path);
		}
		buffer = buffer.subspan(static_cast<std::size_t>(put));
	}
}

} // namespace erofs_share
