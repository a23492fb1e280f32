// SPDX-License-Identifier: GPL-2.0-only
// Reading an image in a process that may do nothing else.
#include "erofs/image_look.h"

#include "erofs/erofs_reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <span>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

namespace erofs_share {

namespace {

/// What a look may take.
struct Limits {
	std::uint64_t inodes;
	std::chrono::seconds patience;
	rlim_t seconds; ///< of computing
};

/// Somebody waits for the mount.
constexpr Limits kAtMount = {100'000, std::chrono::seconds(3), 2};
/// Somebody asked.
constexpr Limits kAsked = {4'000'000, std::chrono::seconds(20), 15};

constexpr rlim_t kMostMemory = rlim_t{192} << 20;
/// The user and group of nobody.
constexpr unsigned int kNobody = 65534;

/// Where the child has its two descriptors.
constexpr int kImageFd = 0;
constexpr int kAnswerFd = 1;

bool limit(__rlimit_resource what, rlim_t most)
{
	const rlimit both = {.rlim_cur = most, .rlim_max = most};

	return setrlimit(what, &both) == 0;
}

/// Keeps the two descriptors and no other.
bool keep_descriptors(int image, int answer)
{
	// Above both places first, so that neither overwrites the other.
	const int high_image = fcntl(image, F_DUPFD, 2);
	const int high_answer = fcntl(answer, F_DUPFD, 2);

	return high_image >= 0 && high_answer >= 0 &&
	       dup2(high_image, kImageFd) >= 0 &&
	       dup2(high_answer, kAnswerFd) >= 0 && close_range(2, ~0U, 0) == 0;
}

/// Gives up all privileges, for good. @parent is the process that this is a
/// child of: it must not be survived.
bool drop_privileges(pid_t parent)
{
	__user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	std::array<__user_cap_data_struct, 2> none{};

	// An ordinary user has no other user to be.
	return (geteuid() != 0 ||
		(setgroups(0, nullptr) == 0 &&
		 setresgid(kNobody, kNobody, kNobody) == 0 &&
		 setresuid(kNobody, kNobody, kNobody) == 0)) &&
	       syscall(SYS_capset, &header, none.data()) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       // Behind the change of user, which takes it back.
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

bool set_limits(const Limits &limits)
{
	return limit(RLIMIT_AS, kMostMemory) &&
	       limit(RLIMIT_CPU, limits.seconds) && limit(RLIMIT_FSIZE, 0) &&
	       limit(RLIMIT_CORE, 0) && limit(RLIMIT_NPROC, 0) &&
	       limit(RLIMIT_NOFILE, 2);
}

ImageLook look()
{
	const ErofsImage image(UniqueFd(kImageFd), "the image");
	ImageLook seen;

	if (!image.fingerprint_name())
		return seen;
	seen.declared = 1;
	const auto add = [&](const ErofsFile &file) {
		if (file.size == 0)
			return;
		seen.files++;
		if (file.state != FingerprintState::kNone)
			seen.named++;
		if (file.state != FingerprintState::kAmbiguous)
			return;
		if (seen.ambiguous++ == 0)
			file.path.copy(seen.first_ambiguous.data(),
				       seen.first_ambiguous.size() - 1);
	};
	seen.complete = image.visit_files(kAtMount.inodes, add) ? 1 : 0;
	return seen;
}

/// Ends a visit.
struct Found {};

/// The first file that @is_wanted.
FileLook look_for(const std::function<bool(const ErofsFile &)> &is_wanted)
{
	const ErofsImage image(UniqueFd(kImageFd), "the image");
	FileLook seen;

	if (!image.fingerprint_name())
		return seen;
	seen.declared = 1;
	const auto visit = [&](const ErofsFile &file) {
		if (!is_wanted(file))
			return;
		seen.found = 1;
		seen.size = file.size;
		seen.state = static_cast<std::uint64_t>(file.state);
		seen.fingerprint_size = file.fingerprint.copy(
			seen.fingerprint.data(), seen.fingerprint.size());
		throw Found();
	};
	try {
		seen.complete = image.visit_files(kAsked.inodes, visit) ? 1 : 0;
	} catch (const Found &) {
		seen.complete = 1;
	}
	return seen;
}

/// The child's life: @look, whose answer goes to @pipe. Returns its exit
/// status, which nobody looks at.
template <typename Look>
int answer(int image, int pipe, pid_t parent, const Limits &limits,
	   const Look &look)
{
	if (!keep_descriptors(image, pipe) || !set_limits(limits) ||
	    !drop_privileges(parent))
		return 1;
	try {
		const auto seen = look();

		write_all(kAnswerFd, std::as_bytes(std::span(&seen, 1)),
			  "the pipe");
	} catch (const std::exception &) {
		return 1;
	}
	return 0;
}

/// Reads a whole @answer from @fd; returns false if none comes in time.
bool wait_for_answer(int fd, std::span<std::byte> answer,
		     std::chrono::seconds patience)
{
	using Clock = std::chrono::steady_clock;
	const auto end = Clock::now() + patience;

	while (!answer.empty()) {
		const auto left =
			std::chrono::duration_cast<std::chrono::milliseconds>(
				end - Clock::now());
		pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};

		if (left.count() <= 0 ||
		    poll(&wanted, 1, static_cast<int>(left.count())) <= 0)
			return false;
		const ssize_t got = read(fd, answer.data(), answer.size());
		if (got <= 0)
			return false;
		answer = answer.subspan(static_cast<std::size_t>(got));
	}
	return true;
}

/// What @look returns in a process that has @image and nothing else.
template <typename Look>
auto in_confinement(UniqueFd image, const Limits &limits, const Look &look)
	-> std::optional<decltype(look())>
{
	using Answer = decltype(look());
	static_assert(std::is_trivially_copyable_v<Answer>);
	std::array<int, 2> ends{};
	const pid_t parent = getpid();
	Answer seen;

	if (!image.valid() || pipe2(ends.data(), O_CLOEXEC) != 0)
		return std::nullopt;
	const UniqueFd output(ends[0]);
	UniqueFd input(ends[1]);
	const pid_t child = fork();
	if (child < 0)
		return std::nullopt;
	if (child == 0)
		_exit(answer(image.get(), input.get(), parent, limits, look));
	input.reset();
	image.reset();
	const bool answered = wait_for_answer(
		output.get(), std::as_writable_bytes(std::span(&seen, 1)),
		limits.patience);

	kill(child, SIGKILL);
	// One that hangs in a read of a device is left to itself.
	waitpid(child, nullptr, answered ? 0 : WNOHANG);
	if (!answered)
		return std::nullopt;
	return seen;
}

} // namespace

std::optional<ImageLook> look_at_image(UniqueFd image)
{
	auto seen = in_confinement(std::move(image), kAtMount, look);

	// Nobody promises that there is one.
	if (seen)
		seen->first_ambiguous.back() = '\0';
	return seen;
}

std::optional<FileLook> look_for_inode(UniqueFd image, std::uint64_t nid)
{
	auto seen = in_confinement(std::move(image), kAsked, [nid] {
		return look_for([nid](const ErofsFile &file) {
			return file.nid == nid;
		});
	});

	// It may be a lie.
	if (seen && seen->fingerprint_size > seen->fingerprint.size())
		return std::nullopt;
	return seen;
}

std::optional<FileLook> look_for_contents(UniqueFd image,
					  const FileLook &wanted)
{
	const std::string fingerprint(wanted.fingerprint.data(),
				      wanted.fingerprint_size);

	return in_confinement(std::move(image), kAsked, [&] {
		return look_for([&](const ErofsFile &file) {
			return file.state == FingerprintState::kOne &&
			       file.size == wanted.size &&
			       file.fingerprint == fingerprint;
		});
	});
}

} // namespace erofs_share
