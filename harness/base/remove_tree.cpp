// SPDX-License-Identifier: GPL-2.0-only
// unlinkat(2), and renameat(2) for what is too deep for it.
#include "base/remove_tree.h"

#include "base/fd.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace erofs_share {

namespace {

/// Somebody may still be making names.
constexpr std::uint64_t kMostNames = std::uint64_t{1} << 22;
/// How many names are kept at once.
constexpr std::size_t kAtOnce = 4096;

struct Close {
	void operator()(DIR *directory) const
	{
		closedir(directory);
	}
};

/// Some of the names in @directory.
std::vector<std::string> names_in(int directory)
{
	std::vector<std::string> names;
	const int copy =
		openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const std::unique_ptr<DIR, Close> list(copy < 0 ? nullptr
							: fdopendir(copy));

	while (list != nullptr && names.size() < kAtOnce) {
		const dirent *entry = readdir(list.get());

		if (entry == nullptr)
			break;
		if (std::strcmp(entry->d_name, ".") != 0 &&
		    std::strcmp(entry->d_name, "..") != 0)
			names.emplace_back(entry->d_name);
	}
	return names;
}

/// Removes @name in @directory if it is a file or an empty directory.
bool remove_name(int directory, const std::string &name)
{
	return unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT ||
	       unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0;
}

UniqueFd open_inner(int directory, const std::string &name)
{
	constexpr int kHow = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	UniqueFd inner(openat(directory, name.c_str(), kHow));

	// Its mode may keep its owner out.
	if (!inner.valid() && errno == EACCES &&
	    fchmodat(directory, name.c_str(), 0700, 0) == 0)
		inner = UniqueFd(openat(directory, name.c_str(), kHow));
	return inner;
}

/// Moves @name of @inner to @directory, by a name with @number.
bool move_up(int inner, const std::string &name, int directory,
	     std::uint64_t number)
{
	// What has that name already, another number passes by.
	return renameat2(inner, name.c_str(), directory,
			 (".up." + std::to_string(number)).c_str(),
			 RENAME_NOREPLACE) == 0;
}

} // namespace

bool is_empty_directory(int directory)
{
	return names_in(directory).empty();
}

bool remove_contents(int directory)
{
	std::uint64_t moved = 0;
	std::uint64_t seen = 0;

	for (;;) {
		const auto names = names_in(directory);

		if (names.empty())
			return true;
		for (const std::string &name : names) {
			if (++seen > kMostNames)
				return false;
			if (remove_name(directory, name))
				continue;
			const UniqueFd inner = open_inner(directory, name);
			if (!inner.valid())
				return false;
			const auto below = names_in(inner.get());
			if (below.empty())
				return false;
			for (const std::string &each : below) {
				while (!remove_name(inner.get(), each) &&
				       !move_up(inner.get(), each, directory,
						moved++))
					if (++seen > kMostNames)
						return false;
			}
		}
	}
}

} // namespace erofs_share
