// SPDX-License-Identifier: GPL-2.0-only
// The programs of erofs-utils.
#include "erofs/erofs_utils.h"

#include "base/child.h"
#include "base/confined_program.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/quote.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <span>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace fs = std::filesystem;

std::optional<std::string> find_program(const std::string &name)
{
	const char *path = std::getenv("PATH");
	std::string list = path == nullptr ? "" : path;

	list += ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin";
	for (std::size_t from = 0; from <= list.size();) {
		const std::size_t end =
			std::min(list.find(':', from), list.size());
		const fs::path file =
			fs::path(list.substr(from, end - from)) / name;

		if (file.is_absolute() && access(file.c_str(), X_OK) == 0)
			return file.string();
		from = end + 1;
	}
	return std::nullopt;
}

namespace {

/// A program of erofs-utils, or what to install.
struct Utility {
	std::optional<std::string> path;
	std::string wanted;
};

/// Whether @version, as a program prints it, is older than 1.9. One that cannot
/// be read is not.
bool is_too_old(const std::string &version)
{
	std::istringstream text(version);
	unsigned int major = 0;
	unsigned int minor = 0;
	char dot = 0;

	if (!(text >> major >> dot >> minor) || dot != '.')
		return false;
	return major < 1 || (major == 1 && minor < 9);
}

Utility look_for(const std::string &name)
{
	auto path = find_program(name);

	if (!path)
		return {std::nullopt,
			name + " is needed; install erofs-utils 1.9 or newer "
			       "(Debian 12 has 1.5)"};
	// "fsck.erofs 1.5", "fsck.erofs (erofs-utils) 1.9.4", and more lines.
	const std::string output =
		run_program("/", {*path, "-V"}, Capture::kAll).output;
	const std::string first = output.substr(0, output.find('\n'));
	const std::string version = first.substr(first.rfind(' ') + 1);

	if (is_too_old(version))
		return {std::nullopt, quote_name(*path) + " is of version " +
					      quote_name(version) +
					      ", which is too old: 1.9 or "
					      "newer is needed; install that"};
	return {std::move(path), ""};
}

const Utility &the_fsck()
{
	static const Utility found = look_for("fsck.erofs");

	return found;
}

/// @length bytes at @offset of inode @nid of the image @path in @file, by
/// dump.erofs.
std::string inode_data(int file, const std::string &path, std::uint64_t nid,
		       std::uint64_t offset, std::uint64_t length)
{
	struct Enough {};
	static const Utility dump = look_for("dump.erofs");
	std::string text;
	std::uint64_t at = 0;
	ConfinedResult result;

	if (!dump.path)
		throw_error(ENOENT, quote_name(path) +
					    ": the names of its attributes are "
					    "compressed, and to read them " +
					    dump.wanted);
	check_unprivileged_reader(file, path);
	tell_missing_confinement();
	try {
		result = run_confined(
			{.words = {*dump.path, "--cat",
				   "--nid=" + std::to_string(nid),
				   "/proc/self/fd/3"},
			 .files = {file},
			 .directory = {},
			 .data = -1},
			[&](std::span<const std::byte> bytes) {
				const std::uint64_t skip =
					std::min<std::uint64_t>(
						bytes.size(),
						offset > at ? offset - at : 0);

				at += bytes.size();
				text.append(reinterpret_cast<const char *>(
						    bytes.data()) +
						    skip,
					    std::min<std::uint64_t>(
						    bytes.size() - skip,
						    length - text.size()));
				if (text.size() == length)
					throw Enough();
			});
	} catch (const Enough &) {
		return text;
	}
	// It says 0 for what it could not read, too.
	if (result.status != 0 || !result.text.empty())
		throw_error(EBADMSG,
			    quote_name(path) +
				    ": damaged image, dump.erofs could not "
				    "read inode " +
				    std::to_string(nid) + " (" +
				    last_line(result.text) + ")");
	return text;
}

} // namespace

const std::optional<std::string> &find_fsck()
{
	return the_fsck().path;
}

const std::string &fsck_wanted()
{
	return the_fsck().wanted;
}

ErofsImage open_image(const std::string &path)
{
	UniqueFd fd = open_image_file(path);
	const int file = fd.get();

	return ErofsImage(std::move(fd), path,
			  [&](std::uint64_t nid, std::uint64_t offset,
			      std::uint64_t length) {
				  return inode_data(file, path, nid, offset,
						    length);
			  });
}

void check_unprivileged_reader(int file, const std::string &path)
{
	struct stat status {};

	if (geteuid() != 0)
		return;
	if (fstat(file, &status) != 0)
		throw_errno(quote_name(path));
	if ((status.st_mode & S_IROTH) == 0)
		throw_error(EACCES,
			    quote_name(path) +
				    ": what is compressed in it is read by a "
				    "program that runs as another user, who "
				    "may not read the file; let others read "
				    "it, or run "
				    "this as a user who may");
}

void tell_missing_confinement()
{
	static std::once_flag once;

	std::call_once(once, [] {
		const std::string missing = missing_confinement();

		if (!missing.empty())
			std::cerr << "erofs-share: note: this system has no " +
					     missing +
					     " for it: the program that reads "
					     "compressed data has no "
					     "privileges, and is less confined "
					     "than elsewhere\n";
	});
}

ErofsImage open_image_with_names(const std::string &path)
{
	ErofsImage image = open_image(path);

	image.need_attribute_names([&](std::uint64_t nid, std::uint64_t offset,
				       std::uint64_t length) {
		return inode_data(image.fd(), path, nid, offset, length);
	});
	return image;
}

std::string last_line(std::string text)
{
	while (!text.empty() && text.back() == '\n')
		text.pop_back();
	return text.substr(text.rfind('\n') + 1);
}

} // namespace erofs_share
