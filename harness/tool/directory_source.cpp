// SPDX-License-Identifier: GPL-2.0-only
// Walks a tree by openat2(2), each time from its root, which is held open.
#include "tool/directory_source.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/quote.h"
#include "erofs/content_hash.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <set>
#include <span>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace erofs_share {

namespace {

/// Sums of a thousand trees must not wrap.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 53;
/// Of all names of a tree: they are in memory. And what one takes beside.
constexpr std::uint64_t kMostNameBytes = std::uint64_t{1} << 29;
constexpr std::uint64_t kNameCost = 128;
/// Of a name in a message.
constexpr std::size_t kMostShown = 300;

struct Close {
	void operator()(DIR *directory) const
	{
		closedir(directory);
	}
};

/// Whether @error says that something else has the name by now, or nothing.
bool is_gone(int error)
{
	// The last three: a link, another kind of file, a mount point.
	return error == ENOENT || error == ESTALE || error == ELOOP ||
	       error == ENOTDIR || error == EXDEV;
}

/// The tree that is read.
class Tree {
      public:
	explicit Tree(std::string root)
	    : name_(std::move(root)),
	      root_(open(name_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))
	{
		if (!root_.valid())
			throw_errno(quote_name(name_));
		top_ = look(root_.get(), "");
	}

	std::vector<SourceFile> files()
	{
		std::vector<std::string> todo = {""};
		std::vector<SourceFile> files;

		seen_.insert(key(top_));
		while (!todo.empty()) {
			const std::string prefix = std::move(todo.back());

			todo.pop_back();
			list(prefix, files, todo);
		}
		hash(files);
		return files;
	}

      private:
	using Key = std::pair<std::uint64_t, std::uint64_t>;

	static Key key(const struct statx &info)
	{
		return {(std::uint64_t{info.stx_dev_major} << 32) |
				info.stx_dev_minor,
			info.stx_ino};
	}

	/// @path of the tree, for messages.
	[[nodiscard]] std::string shown(const std::string &path) const
	{
		return quote_name(name_ + "/" + path.substr(0, kMostShown) +
				  (path.size() > kMostShown ? "..." : ""));
	}

	/// What is said of @name in @directory, or of that itself. No mask if
	/// there is nothing.
	[[nodiscard]] struct statx look(int directory,
					const std::string &name) const
	{
		struct statx info {};

		if (statx(directory, name.c_str(),
			  AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
				  (name.empty() ? AT_EMPTY_PATH : 0),
			  STATX_BASIC_STATS | STATX_MNT_ID, &info) == 0)
			return info;
		if (!is_gone(errno))
			throw_errno(shown(name));
		return {};
	}

	/// Opens @path of the tree, nothing if that is gone.
	[[nodiscard]] UniqueFd open_below(const std::string &path,
					  unsigned int flags) const
	{
		const open_how how = {
			.flags = flags | O_CLOEXEC,
			.mode = 0,
			.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
				   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
		UniqueFd fd(static_cast<int>(syscall(
			SYS_openat2, root_.get(),
			path.empty() ? "." : path.c_str(), &how, sizeof(how))));

		if (!fd.valid() && (path.empty() || !is_gone(errno)))
			throw_errno(shown(path));
		return fd;
	}

	void count_name(const std::string &path)
	{
		name_bytes_ += path.size() + kNameCost;
		if (name_bytes_ > kMostNameBytes)
			throw_error(EOVERFLOW,
				    quote_name(name_) +
					    ": its names take more than " +
					    std::to_string(kMostNameBytes) +
					    " bytes");
	}

	/// Adds what is in the directory @prefix, which ends with a slash if it
	/// is not the root.
	void list(const std::string &prefix, std::vector<SourceFile> &files,
		  std::vector<std::string> &todo)
	{
		UniqueFd fd = open_below(prefix, O_RDONLY | O_DIRECTORY);

		if (!fd.valid())
			return;
		const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
		const std::unique_ptr<DIR, Close> names(
			copy < 0 ? nullptr : fdopendir(copy));
		if (names == nullptr)
			throw_errno(shown(prefix) + ": list this directory");
		for (;;) {
			errno = 0;
			const dirent *entry = readdir(names.get());

			if (entry == nullptr && errno == 0)
				return;
			// It was removed.
			if (entry == nullptr && is_gone(errno))
				return;
			if (entry == nullptr)
				throw_errno(shown(prefix) +
					    ": list this directory");
			if (std::strcmp(entry->d_name, ".") != 0 &&
			    std::strcmp(entry->d_name, "..") != 0)
				add(look(fd.get(), entry->d_name),
				    prefix + entry->d_name, files, todo);
		}
	}

	/// Adds @path, of which @info is said.
	void add(const struct statx &info, const std::string &path,
		 std::vector<SourceFile> &files, std::vector<std::string> &todo)
	{
		const bool directory = S_ISDIR(info.stx_mode);

		if ((!directory && !S_ISREG(info.stx_mode)) ||
		    info.stx_mnt_id != top_.stx_mnt_id ||
		    (directory ? key(info).first != key(top_).first
			       : info.stx_size == 0) ||
		    !seen_.insert(key(info)).second)
			return;
		// No image has longer ones.
		if (path.size() + 2 > PATH_MAX)
			throw_error(ENAMETOOLONG,
				    shown(path) +
					    ": its directories are nested too "
					    "deeply to have a path, and for "
					    "mkfs.erofs");
		count_name(path);
		if (directory) {
			todo.push_back(path + "/");
			return;
		}
		files.push_back({path, info.stx_size, {}});
		bytes_ += std::min<std::uint64_t>(info.stx_size, kMostBytes);
		if (bytes_ > kMostBytes)
			throw_error(EFBIG, shown(path) +
						   ": with this file, the tree "
						   "has more bytes than can be "
						   "hashed");
	}

	/// Opens the regular file @path for reading, nothing if it is none by
	/// now. A device is not even opened: that may do something.
	[[nodiscard]] UniqueFd open_regular(const std::string &path) const
	{
		const UniqueFd found = open_below(path, O_PATH | O_NOFOLLOW);
		struct stat status {};

		if (!found.valid() || fstat(found.get(), &status) != 0 ||
		    !S_ISREG(status.st_mode))
			return {};
		UniqueFd fd(
			open(("/proc/self/fd/" + std::to_string(found.get()))
				     .c_str(),
			     O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
		if (!fd.valid())
			throw_errno(shown(path) + ": open");
		return fd;
	}

	/// Gives the first bytes of @file to @sink, as many as it had. Leaves
	/// in it how many it has.
	void read(SourceFile &file, const DataSink &sink) const
	{
		const UniqueFd fd = open_regular(file.path);
		const std::uint64_t most = file.size;
		std::vector<std::byte> buffer(
			std::min<std::uint64_t>(kChunk, most));

		file.size = 0;
		while (fd.valid() && file.size < most) {
			const auto part =
				std::span(buffer).first(std::min<std::uint64_t>(
					buffer.size(), most - file.size));
			const std::size_t got = read_at(
				fd.get(), part, file.size, shown(file.path));

			sink(part.first(got));
			file.size += got;
			if (got < part.size())
				return;
		}
	}

	void hash(std::vector<SourceFile> &files) const
	{
		std::vector<std::string> digests =
			hash_contents(files.size(), bytes_, name_,
				      [&](std::size_t index, unsigned int,
					  const DataSink &sink) {
					      read(files[index], sink);
				      });

		for (std::size_t i = 0; i < files.size(); i++)
			files[i].fingerprint = std::move(digests[i]);
		std::erase_if(files, [](const SourceFile &file) {
			return file.size == 0;
		});
	}

	static constexpr std::size_t kChunk = std::size_t{1} << 18;

	std::string name_;
	UniqueFd root_;
	struct statx top_ {};
	std::set<Key> seen_;
	std::uint64_t bytes_ = 0;
	std::uint64_t name_bytes_ = 0;
};

} // namespace

std::vector<SourceFile> files_of_directory(const std::string &root)
{
	return Tree(root).files();
}

} // namespace erofs_share
