// SPDX-License-Identifier: GPL-2.0-only
// mkfs.erofs, which makes an image of an archive.
#include "erofs/mkfs_erofs.h"

#include "base/error.h"
#include "base/quote.h"
#include "base/unprivileged.h"
#include "erofs/erofs_utils.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <span>
#include <sys/mman.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// Where the image is open in the program.
constexpr int kImage = 3;
constexpr const char *kImageName = "/proc/self/fd/3";

/// Of what it says.
constexpr off_t kMostSaid = off_t{1} << 20;

using Version = std::array<unsigned int, 3>;
constexpr Version kOldest = {1, 9, 2};

/// The version in "mkfs.erofs (erofs-utils) 1.9.4", or what is like it.
std::optional<Version> version_of(const std::string &line)
{
	const std::string word = line.substr(line.rfind(' ') + 1);
	Version version = {};

	if (std::sscanf(word.c_str(), "%u.%u.%u", version.data(), &version[1],
			&version[2]) < 2)
		return std::nullopt;
	return version;
}

} // namespace

std::string find_mkfs()
{
	const std::string wanted =
		"install erofs-utils 1.9.2 or newer, or put the directory "
		"with its mkfs.erofs first in PATH";
	const auto path = find_program("mkfs.erofs");

	if (!path)
		throw_error(ENOENT, "mkfs.erofs is needed; " + wanted);
	const std::string output =
		run_program("/", {*path, "-V"}, Capture::kAll).output;
	const std::string first = output.substr(0, output.find('\n'));
	const auto version = version_of(first);
	if (!version)
		throw_error(EINVAL, quote_name(*path) +
					    " does not say which version it "
					    "is (" +
					    one_line(first) + "); " + wanted);
	if (*version < kOldest)
		throw_error(EINVAL, quote_name(*path) + " is too old (" +
					    one_line(first) + "); " + wanted);
	return *path;
}

MkfsErofs::MkfsErofs(const std::string &program,
		     const std::vector<std::string> &options,
		     PendingFile &image, const ProcessLimits &limits)
    : image_(image),
      said_(memfd_create("mkfs.erofs", MFD_CLOEXEC | MFD_ALLOW_SEALING))
{
	// Opened by root: others may not be let in to where it is.
	const UniqueFd file = open_file(program, O_RDONLY);
	const Stranger stranger = make_stranger();
	const pid_t parent = getpid();
	std::vector<std::string> words = {program};
	std::vector<char *> arguments;
	std::array<int, 2> ends{};

	// What it says is in memory, and has an end.
	if (!said_.valid() || ftruncate(said_.get(), kMostSaid) != 0 ||
	    fcntl(said_.get(), F_ADD_SEALS, F_SEAL_GROW) != 0 ||
	    pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("start " + quote_name(program));
	const UniqueFd output(ends[0]);
	input_ = UniqueFd(ends[1]);
	if (stranger.needed)
		image.lend(stranger.id);
	words.insert(words.end(), options.begin(), options.end());
	words.insert(words.end(), {"--tar=f", "--", kImageName});
	for (std::string &word : words)
		arguments.push_back(word.data());
	arguments.push_back(nullptr);
	child_.emplace([&] {
		// Some of these may be in the way of others.
		const int code = fcntl(file.get(), F_DUPFD, 10);
		const int copy = fcntl(image.fd(), F_DUPFD, 10);

		if (code < 0 || copy < 0 ||
		    dup2(output.get(), STDIN_FILENO) < 0 ||
		    dup2(said_.get(), STDOUT_FILENO) < 0 ||
		    dup2(said_.get(), STDERR_FILENO) < 0 ||
		    fchdir(image.directory()) != 0 ||
		    setenv("TMPDIR", ".", 1) != 0 || dup2(copy, kImage) < 0 ||
		    close(copy) != 0 || !limit_process(limits) ||
		    !become_stranger(stranger, parent))
			return 127;
		std::signal(SIGPIPE, SIG_DFL);
		// It first tries to have the contents at an offset of 1 TiB of
		// the image, which the limit forbids, and then in a file.
		std::signal(SIGXFSZ, SIG_IGN);
		fexecve(code, arguments.data(), environ);
		return 127;
	});
}

void MkfsErofs::finish()
{
	std::string said(65536, '\0');

	input_.reset();
	const int status = child_->wait();
	image_.take_back();
	if (status == 0)
		return;
	said.resize(read_at(said_.get(),
			    std::as_writable_bytes(std::span(said)), 0,
			    "mkfs.erofs"));
	said.resize(std::min(said.find('\0'), said.size()));
	// It says what was wrong first, and that it failed last; of an option
	// that it does not know, its name and a colon come before.
	const std::size_t fault =
		std::min(said.find("mkfs.erofs: "), said.find("<E>"));
	const std::string line =
		fault == std::string::npos
			? last_line(said)
			: said.substr(fault, said.find('\n', fault) - fault);
	throw_error(EIO,
		    "mkfs.erofs could not make the image, exit status " +
			    std::to_string(status) +
			    (line.empty() ? "" : " (" + one_line(line) + ")"));
}

} // namespace erofs_share
