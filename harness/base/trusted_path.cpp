// SPDX-License-Identifier: GPL-2.0-only
// Walking a path component by component, each relative to the one before that
// was looked at and is held open.
#include "base/trusted_path.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdint>
#include <deque>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace erofs_share {

namespace {

/// As many as the kernel follows.
constexpr int kMostLinks = 40;

[[noreturn]] void refuse_errno(int error)
{
	throw UntrustedPath(std::generic_category().message(error), error);
}

bool is_ours(const struct stat &info)
{
	return info.st_uid == 0 || info.st_uid == geteuid();
}

std::string octal(unsigned int mode)
{
	std::array<char, 12> text{};

	return {text.data(),
		std::to_chars(text.data(), text.data() + text.size(), mode, 8)
			.ptr};
}

/// Who but root and the caller may have made what is on the way.
enum class Others : std::uint8_t {
	kNothing,
	kDirectories, ///< and no symbolic links
};

/// The state of a walk.
class Walk {
      public:
	Walk(const std::string &path, Others others) : others_(others)
	{
		std::array<char, PATH_MAX> here{};

		if (path.empty())
			refuse_errno(ENOENT);
		push(path);
		if (path.front() != '/' && others == Others::kDirectories) {
			seen_ = ".";
			enter(UniqueFd(
				open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)));
			return;
		}
		if (path.front() != '/') {
			if (getcwd(here.data(), here.size()) == nullptr)
				refuse_errno(errno);
			// A directory that our root does not reach.
			if (here.front() != '/')
				refuse_errno(ENOENT);
			push(here.data());
		}
		go_to_root();
	}

	UniqueFd finish()
	{
		while (!rest_.empty()) {
			const std::string name = std::move(rest_.front());

			rest_.pop_front();
			if (UniqueFd file = step(name); file.valid())
				return file;
		}
		// It ends in a directory, which the caller refuses.
		return UniqueFd(fcntl(directory_.get(), F_DUPFD_CLOEXEC, 0));
	}

      private:
	/// Puts the components of @path in front of what is left.
	void push(const std::string &path)
	{
		std::size_t end = path.size();

		// From the last to the first.
		while (end > 0) {
			const std::size_t slash = path.rfind('/', end - 1);
			const std::size_t start =
				slash == std::string::npos ? 0 : slash + 1;

			if (start < end)
				rest_.push_front(
					path.substr(start, end - start));
			end = slash == std::string::npos ? 0 : slash;
		}
	}

	void go_to_root()
	{
		seen_ = "/";
		enter(UniqueFd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)));
	}

	void enter(UniqueFd directory)
	{
		struct stat info {};

		if (!directory.valid() || fstat(directory.get(), &info) != 0)
			refuse_errno(errno);
		if (others_ == Others::kDirectories) {
			directory_ = std::move(directory);
			return;
		}
		if (!is_ours(info))
			throw UntrustedPath(
				"the directory " + seen_ + " belongs to user " +
				std::to_string(info.st_uid) +
				", who can put another file there" + kExpected);
		if ((info.st_mode & 022) != 0)
			throw UntrustedPath(
				"others may write to the directory " + seen_ +
				" (mode " + octal(info.st_mode & 07777) +
				"), and put another file there" + kExpected);
		directory_ = std::move(directory);
	}

	/// Goes one component on; returns the file if that was the last.
	UniqueFd step(const std::string &name)
	{
		struct stat info {};
		UniqueFd next(openat(directory_.get(), name.c_str(),
				     O_PATH | O_NOFOLLOW | O_CLOEXEC));

		if (!next.valid() || fstat(next.get(), &info) != 0)
			refuse_errno(errno);
		if (S_ISLNK(info.st_mode)) {
			follow(name, next, info);
			return {};
		}
		if (S_ISDIR(info.st_mode)) {
			if (name != ".")
				seen_ += (seen_ == "/" ? "" : "/") + name;
			enter(std::move(next));
			return {};
		}
		if (!rest_.empty() || others_ == Others::kDirectories)
			refuse_errno(ENOTDIR);
		UniqueFd file(openat(directory_.get(), name.c_str(),
				     O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
					     O_NOCTTY | O_CLOEXEC));
		if (!file.valid())
			refuse_errno(errno);
		return file;
	}

	void follow(const std::string &name, const UniqueFd &link,
		    const struct stat &info)
	{
		const std::string where =
			seen_ + (seen_ == "/" ? "" : "/") + name;
		std::array<char, PATH_MAX> text{};
		struct statfs system {};

		if (!is_ours(info))
			throw UntrustedPath(
				where + " is a symbolic link of user " +
				std::to_string(info.st_uid) +
				", who can make it lead anywhere; name what "
				"it leads to");
		if (++links_ > kMostLinks)
			refuse_errno(ELOOP);
		const ssize_t size =
			readlinkat(link.get(), "", text.data(), text.size());
		if (size <= 0 || fstatfs(link.get(), &system) != 0)
			refuse_errno(size == 0 ? ENOENT : errno);
		const std::string target(text.data(),
					 static_cast<std::size_t>(size));
		if (target.front() == '/' && system.f_type == PROC_SUPER_MAGIC)
			throw UntrustedPath(
				where + " leads to a file of a process, which "
					"its text does not name; name the "
					"file itself, or a descriptor as "
					"/dev/fd/N");
		push(target);
		if (target.front() == '/')
			go_to_root();
	}

	static constexpr const char *kExpected =
		"; expected directories that only root can write, such as "
		"/etc/erofs: install -d -m 700 /etc/erofs";

	Others others_;
	UniqueFd directory_;
	std::string seen_; ///< where it is, for messages
	std::deque<std::string> rest_;
	int links_ = 0;
};

} // namespace

UniqueFd open_trusted(const std::string &path)
{
	return Walk(path, Others::kNothing).finish();
}

UniqueFd open_directory_itself(const std::string &path)
{
	return Walk(path, Others::kDirectories).finish();
}

} // namespace erofs_share
