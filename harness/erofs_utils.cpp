// SPDX-License-Identifier: GPL-2.0-only
// The programs of erofs-utils.
#include "erofs_utils.h"

#include "child.h"
#include "error.h"
#include "fd.h"
#include "quote.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
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

/// What find_fsck() and fsck_wanted() say.
struct Fsck {
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

Fsck look_for_fsck()
{
	auto path = find_program("fsck.erofs");

	if (!path)
		return {std::nullopt,
			"fsck.erofs is needed; install erofs-utils 1.9 or "
			"newer"};
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

const Fsck &the_fsck()
{
	static const Fsck found = look_for_fsck();

	return found;
}

/// The data of inode @nid of @image, by dump.erofs.
std::string inode_data(const std::string &image, std::uint64_t nid)
{
	const auto dump = find_program("dump.erofs");

	if (!dump)
		throw_error(
			ENOENT,
			quote_name(image) +
				": the names of its attributes are "
				"compressed, and to read them dump.erofs is "
				"needed; install erofs-utils, or mount the "
				"image and name the directory");
	const ProgramResult result = run_program(
		"/", {*dump, "--cat", "--nid=" + std::to_string(nid),
		      fs::absolute(image).string()});
	if (result.status != 0)
		throw_error(EBADMSG,
			    quote_name(image) +
				    ": damaged image, dump.erofs could "
				    "not read inode " +
				    std::to_string(nid));
	return result.output;
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
	return ErofsImage(
		open_file(path, O_RDONLY), path,
		[&](std::uint64_t nid) { return inode_data(path, nid); });
}

std::string last_line(std::string text)
{
	while (!text.empty() && text.back() == '\n')
		text.pop_back();
	return text.substr(text.rfind('\n') + 1);
}

} // namespace erofs_share
