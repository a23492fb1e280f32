// SPDX-License-Identifier: GPL-2.0-only
// Running a program that nobody should trust.
#include "base/confined_program.h"

#include "base/child.h"
#include "base/confinement.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "base/quote.h"
#include "base/unprivileged.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::size_t kMostText = 65536;
constexpr int kFirstFile = 3;

/// What the child needs, made before there is one: it must not allocate.
struct Plan {
	std::vector<char *> words;
	std::vector<int> files;
	std::vector<int> moved;
	int program = -1;
	int directory = -1;
	int output = -1;
	int errors = -1;
	pid_t parent = 0;
	uid_t user = 0;
	std::uint64_t seconds = 0;
};

/// Puts the program's descriptors where it expects them, and closes all others
/// but @plan's two.
bool place_descriptors(Plan &plan)
{
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const auto count = static_cast<int>(plan.files.size());

	// Out of the way first: none may be where another is to be.
	for (int &file : plan.moved)
		file = -1;
	for (int i = 0; i < count; i++)
		plan.moved[i] = fcntl(plan.files[i], F_DUPFD_CLOEXEC,
				      kFirstFile + count + 8);
	const auto aside = [&](int &file) {
		if (file >= 0)
			file = fcntl(file, F_DUPFD_CLOEXEC,
				     kFirstFile + count + 8);
	};
	aside(plan.program);
	aside(plan.directory);
	aside(plan.output);
	aside(plan.errors);
	if (null < 0 || dup2(null, 0) < 0 || dup2(plan.output, 1) < 0 ||
	    dup2(plan.errors, 2) < 0)
		return false;
	for (int i = 0; i < count; i++)
		if (dup2(plan.moved[i], kFirstFile + i) < 0)
			return false;
		else
			plan.moved[i] = kFirstFile + i;
	// The rest closes when the program starts.
	return close_range(kFirstFile + count, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

int child(Plan &plan)
{
	static char path[] = "PATH=/usr/bin:/bin";
	static char language[] = "LC_ALL=C";
	static std::array<char *, 3> environment = {path, language, nullptr};
	Confinement found;

	setpgid(0, 0);
	for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
		std::signal(signal, SIG_DFL);
	if (!place_descriptors(plan) ||
	    (plan.directory >= 0 ? fchdir(plan.directory) : chdir("/")) != 0 ||
	    !confine({.parent = plan.parent,
		      .user = plan.user,
		      .limits = {.seconds = plan.seconds},
		      .program = plan.program,
		      .readable = plan.moved,
		      .writable = plan.directory},
		     found))
		return 126;
	execveat(plan.program, "", plan.words.data(), environment.data(),
		 AT_EMPTY_PATH);
	return 127;
}

/// Reads what is there of @fd, to @buffer. Returns 0 at its end, and -1 if
/// there is nothing now.
ssize_t take(int fd, std::span<std::byte> buffer)
{
	for (;;) {
		const ssize_t got = read(fd, buffer.data(), buffer.size());

		if (got >= 0)
			return got;
		if (errno == EAGAIN)
			return -1;
		if (errno != EINTR)
			throw_errno("read from a program");
	}
}

void add_text(std::span<const std::byte> bytes, ConfinedResult &result)
{
	const std::size_t room = kMostText - result.text.size();

	result.cut_off = result.cut_off || bytes.size() > room;
	result.text.append(reinterpret_cast<const char *>(bytes.data()),
			   std::min(room, bytes.size()));
}

/// Reads both until all who write have ended.
void listen(int data, int errors, const DataSink &sink, ConfinedResult &result)
{
	std::vector<std::byte> buffer(std::size_t{1} << 16);
	std::array<pollfd, 2> both = {{{data, POLLIN, 0}, {errors, POLLIN, 0}}};

	while (both[0].fd >= 0 || both[1].fd >= 0) {
		if (poll(both.data(), both.size(), -1) < 0) {
			if (errno == EINTR)
				continue;
			throw_errno("poll");
		}
		for (pollfd &each : both) {
			if (each.fd < 0 || each.revents == 0)
				continue;
			const ssize_t got = take(each.fd, buffer);
			const auto part = std::span<const std::byte>(
				buffer.data(),
				static_cast<std::size_t>(
					std::max<ssize_t>(got, 0)));

			if (got == 0)
				each.fd = -1;
			else if (each.fd == data)
				sink(part);
			else
				add_text(part, result);
		}
		// A named pipe that was never opened has no end.
		if (both[1].fd < 0 && both[0].fd >= 0) {
			for (;;) {
				const ssize_t got = take(data, buffer);

				if (got <= 0)
					break;
				sink({buffer.data(),
				      static_cast<std::size_t>(got)});
			}
			both[0].fd = -1;
		}
	}
}

} // namespace

ConfinedResult run_confined(const ConfinedProgram &program,
			    const DataSink &sink)
{
	const UniqueFd file(
		open(program.words.front().c_str(), O_PATH | O_CLOEXEC));
	const UniqueFd directory(
		program.directory.empty()
			? -1
			: open(program.directory.c_str(),
			       O_PATH | O_DIRECTORY | O_CLOEXEC));
	Pipe output;
	Pipe errors;
	Plan plan;
	ConfinedResult result;

	if (!file.valid())
		throw_errno("run " + quote_name(program.words.front()));
	if (!program.directory.empty() && !directory.valid())
		throw_errno(quote_name(program.directory));
	for (const std::string &word : program.words)
		plan.words.push_back(const_cast<char *>(word.c_str()));
	plan.words.push_back(nullptr);
	plan.files = program.files;
	plan.moved.resize(plan.files.size());
	plan.program = file.get();
	plan.directory = directory.get();
	plan.output =
		program.data < 0 ? output.input.get() : errors.input.get();
	plan.errors = errors.input.get();
	plan.parent = getpid();
	plan.user = reading_stranger().id;
	plan.seconds = program.seconds;

	Child process([&] { return child(plan); });
	output.input.reset();
	errors.input.reset();
	const int data = program.data < 0 ? output.output.get() : program.data;
	for (const int fd : {data, errors.output.get()})
		if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
			throw_errno("fcntl");
	listen(data, errors.output.get(), sink, result);
	result.status = process.wait();
	if (result.status == 126)
		throw_error(EPERM, quote_name(program.words.front()) +
					   ": its privileges cannot be taken "
					   "away here, so it was not run");
	return result;
}

std::string missing_confinement()
{
	const UniqueFd program(open("/proc/self/exe", O_PATH | O_CLOEXEC));
	const pid_t parent = getpid();
	const uid_t user = reading_stranger().id;
	Child probe([&] {
		Confinement found;

		if (!confine({.parent = parent,
			      .user = user,
			      .limits = {.seconds = 10},
			      .program = program.get(),
			      .readable = {},
			      .writable = -1},
			     found))
			return 0;
		return (found.namespaces ? 0 : 1) + (found.landlock ? 0 : 2) +
		       (found.seccomp ? 0 : 4);
	});
	const int missing = probe.wait();
	std::string text;

	// The calls that the others are for are not on seccomp's list, or
	// cannot be used where one of them is.
	if ((missing & 4) == 0 && missing != 3)
		return text;
	const auto add = [&](int bit, const char *what) {
		if ((missing & bit) != 0)
			text += (text.empty() ? "" : ", ") + std::string(what);
	};

	add(1, "namespaces");
	add(2, "Landlock");
	add(4, "seccomp");
	return text;
}

} // namespace erofs_share
