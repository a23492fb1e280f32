// SPDX-License-Identifier: GPL-2.0-only
// Walking images that cannot be trusted.
#include "content/walker.h"

#include "base/fd.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <vector>

namespace erofs_share {

namespace {

constexpr std::uint64_t kMaxEntries = 600;
constexpr int kMaxDepth = 6;
constexpr std::size_t kPiece = 65536;
/// Of one file: from its start, and again at its end.
constexpr std::uint64_t kMaxRead = 4 * kPiece;
/// Pages that cannot be read, in each of the two places.
constexpr int kMaxFailed = 6;
constexpr std::size_t kPage = 4096;
/// Of a whole walk. An image of our seeds takes a tenth of it.
constexpr std::chrono::seconds kMaxTime(10);

sigjmp_buf bus_error;

extern "C" void on_bus_error(int /*signal*/)
{
	siglongjmp(bus_error, 1);
}

/// Touches @count pages at @from. Returns how many could be read.
std::uint64_t touch(const volatile char *from, std::size_t count)
{
	[[maybe_unused]] static volatile char sink;
	volatile std::size_t done = 0;

	while (done < count) {
		if (sigsetjmp(bus_error, 1) != 0)
			return done;
		sink = from[done * kPage];
		done = done + 1;
	}
	return done;
}

class Walk {
      public:
	WalkCount run(const std::string &root)
	{
		struct sigaction action {};
		struct sigaction old {};

		action.sa_handler = on_bus_error;
		action.sa_flags = SA_NODEFER;
		sigaction(SIGBUS, &action, &old);
		directory(root, 0);
		sigaction(SIGBUS, &old, nullptr);
		return std::move(count_);
	}

      private:
	[[nodiscard]] bool enough() const
	{
		return count_.entries >= kMaxEntries ||
		       std::chrono::steady_clock::now() - start_ > kMaxTime;
	}

	/// Counts a failed call. Returns @result.
	template <typename T> T note(T result)
	{
		if (result < 0)
			count_.errors++;
		return result;
	}

	void directory(const std::string &path, int depth)
	{
		std::vector<std::string> names;

		attributes(path);
		DIR *stream = opendir(path.c_str());
		if (stream == nullptr) {
			count_.errors++;
			return;
		}
		while (!enough()) {
			errno = 0;
			const dirent *entry = readdir(stream);

			if (entry == nullptr) {
				if (errno != 0)
					count_.errors++;
				break;
			}
			count_.entries++;
			if (std::strcmp(entry->d_name, ".") != 0 &&
			    std::strcmp(entry->d_name, "..") != 0)
				names.emplace_back(entry->d_name);
		}
		closedir(stream);
		// A name that is not there takes the search of all blocks.
		struct stat status {};
		note(lstat((path + "/no such name").c_str(), &status));
		for (const std::string &name : names) {
			if (std::chrono::steady_clock::now() - start_ >
			    kMaxTime)
				return;
			entry(std::string(path).append("/").append(name),
			      depth);
		}
	}

	void entry(const std::string &path, int depth)
	{
		struct stat status {};

		if (note(lstat(path.c_str(), &status)) != 0)
			return;
		// Links of our seeds that lead to one empty file.
		if (!seen_first(status) && status.st_size == 0)
			return;
		switch (status.st_mode & S_IFMT) {
		case S_IFDIR:
			if (depth < kMaxDepth)
				directory(path, depth + 1);
			return;
		case S_IFLNK:
			link(path);
			return;
		case S_IFREG:
			file(path, status);
			return;
		default: // must not be opened: it could wait
			attributes(path);
		}
	}

	bool seen_first(const struct stat &status)
	{
		if (std::find(seen_.begin(), seen_.end(), status.st_ino) !=
		    seen_.end())
			return false;
		seen_.push_back(status.st_ino);
		return true;
	}

	void link(const std::string &path)
	{
		note(readlink(path.c_str(), buffer_.data(), buffer_.size()));
		attributes(path);
	}

	/// Of a symbolic link itself, not of what it names.
	void attributes(const std::string &path)
	{
		const ssize_t length = note(llistxattr(
			path.c_str(), buffer_.data(), buffer_.size()));
		std::vector<std::string> names = {"user.own", "user.nobody",
						  "trusted.erofs.fingerprint"};

		for (ssize_t at = 0; at < length;) {
			names.emplace_back(buffer_.data() + at);
			at += static_cast<ssize_t>(names.back().size()) + 1;
		}
		for (const std::string &name : names)
			lgetxattr(path.c_str(), name.c_str(), buffer_.data(),
				  buffer_.size());
		lgetxattr(path.c_str(), names.back().c_str(), nullptr, 0);
	}

	void file(const std::string &path, const struct stat &status)
	{
		attributes(path);
		const UniqueFd fd(
			open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
		if (note(fd.get()) < 0)
			return;
		const auto size = static_cast<std::uint64_t>(
			std::max<off_t>(status.st_size, 0));
		const std::uint64_t before = count_.bytes;

		// By mapping first: faults come with other readahead.
		if (status.st_ino % 2 == 0)
			map(fd.get(), size);
		read_range(path, fd.get(), 0, std::min(size, kMaxRead) + 1,
			   size);
		if (size > kMaxRead)
			read_range(path, fd.get(), size - kPiece, kPiece + 1,
				   size);
		if (status.st_ino % 2 != 0)
			map(fd.get(), size);
		holes(fd.get());
		extents(fd.get());
		if (count_.bytes != before)
			count_.files++;
	}

	/// Reads [@from, @from + @length), and what is wrong with a length.
	void read_range(const std::string &path, int fd, std::uint64_t from,
			std::uint64_t length, std::uint64_t size)
	{
		std::uint64_t at = from;
		int failed = 0;

		while (at < from + length && failed < kMaxFailed) {
			const std::size_t wanted = std::min<std::uint64_t>(
				from + length - at, buffer_.size());
			const ssize_t got = pread(fd, buffer_.data(), wanted,
						  static_cast<off_t>(at));

			if (note(got) < 0) {
				// The next page may be sound.
				failed++;
				at = (at / kPage + 1) * kPage;
				continue;
			}
			if (got == 0 ||
			    at + static_cast<std::uint64_t>(got) > size) {
				if (at < size ||
				    at + static_cast<std::uint64_t>(got) > size)
					count_.wrong =
						path + " has " +
						std::to_string(size) +
						" bytes, but read(2) at " +
						std::to_string(at) +
						" returned " +
						std::to_string(got);
				return;
			}
			at += static_cast<std::uint64_t>(got);
			count_.bytes += static_cast<std::uint64_t>(got);
			if (std::chrono::steady_clock::now() - start_ >
			    kMaxTime)
				return;
		}
	}

	void map(int fd, std::uint64_t size)
	{
		if (size == 0)
			return;
		const std::size_t pages =
			std::min<std::uint64_t>((size + kPage - 1) / kPage, 8);
		const std::uint64_t last =
			((size + kPage - 1) / kPage - pages) * kPage;

		for (const std::uint64_t from : {std::uint64_t{0}, last}) {
			void *const at =
				mmap(nullptr, pages * kPage, PROT_READ,
				     MAP_PRIVATE, fd, static_cast<off_t>(from));

			if (at == MAP_FAILED) {
				count_.errors++;
				return;
			}
			const std::uint64_t read =
				touch(static_cast<const char *>(at), pages);
			count_.bytes += read;
			if (read != pages)
				count_.errors++;
			munmap(at, pages * kPage);
			if (last == 0)
				return;
		}
	}

	void holes(int fd)
	{
		off_t at = 0;

		for (int i = 0; i < 8; i++) {
			const off_t next = lseek(
				fd, at, i % 2 == 0 ? SEEK_HOLE : SEEK_DATA);

			if (next <= at)
				return;
			at = next;
		}
	}

	void extents(int fd)
	{
		constexpr unsigned int kExtents = 16;
		alignas(fiemap) std::array<
			char, sizeof(fiemap) + kExtents * sizeof(fiemap_extent)>
			space{};
		auto *map = reinterpret_cast<fiemap *>(space.data());

		map->fm_length = FIEMAP_MAX_OFFSET;
		map->fm_extent_count = kExtents;
		note(ioctl(fd, FS_IOC_FIEMAP, map));
	}

	WalkCount count_;
	std::vector<ino_t> seen_;
	std::vector<char> buffer_ = std::vector<char>(kPiece);
	std::chrono::steady_clock::time_point start_ =
		std::chrono::steady_clock::now();
};

} // namespace

WalkCount &WalkCount::operator+=(const WalkCount &other)
{
	entries += other.entries;
	files += other.files;
	bytes += other.bytes;
	errors += other.errors;
	if (wrong.empty())
		wrong = other.wrong;
	return *this;
}

WalkCount walk_hostile(const std::string &root)
{
	return Walk().run(root);
}

} // namespace erofs_share
