// SPDX-License-Identifier: GPL-2.0-only
// Reading an image in a process that may do nothing else.
#include "image_look.h"

#include "erofs_reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <span>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>

namespace erofs_share {

namespace {

static_assert(std::is_trivially_copyable_v<ImageLook>);

constexpr std::uint64_t kMostInodes = 100'000;
constexpr std::chrono::seconds kPatience{3};
constexpr rlim_t kMostSeconds = 2; ///< of computing
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

	return setgroups(0, nullptr) == 0 &&
	       setresgid(kNobody, kNobody, kNobody) == 0 &&
	       setresuid(kNobody, kNobody, kNobody) == 0 &&
	       syscall(SYS_capset, &header, none.data()) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       // Behind the change of user, which takes it back.
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

bool set_limits()
{
	return limit(RLIMIT_AS, kMostMemory) &&
	       limit(RLIMIT_CPU, kMostSeconds) && limit(RLIMIT_FSIZE, 0) &&
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
	seen.complete = image.visit_files(kMostInodes, add) ? 1 : 0;
	return seen;
}

/// The child's life. Returns its exit status, which nobody looks at.
int answer(int image, int pipe, pid_t parent)
{
	if (!keep_descriptors(image, pipe) || !set_limits() ||
	    !drop_privileges(parent))
		return 1;
	try {
		const ImageLook seen = look();

		write_all(kAnswerFd, std::as_bytes(std::span(&seen, 1)),
			  "the pipe");
	} catch (const std::exception &) {
		return 1;
	}
	return 0;
}

/// Reads a whole answer from @fd; nothing if none comes in time.
std::optional<ImageLook> wait_for_answer(int fd)
{
	using Clock = std::chrono::steady_clock;
	const auto end = Clock::now() + kPatience;
	ImageLook seen;
	std::span<std::byte> rest = std::as_writable_bytes(std::span(&seen, 1));

	while (!rest.empty()) {
		const auto left =
			std::chrono::duration_cast<std::chrono::milliseconds>(
				end - Clock::now());
		pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};

		if (left.count() <= 0 ||
		    poll(&wanted, 1, static_cast<int>(left.count())) <= 0)
			return std::nullopt;
		const ssize_t got = read(fd, rest.data(), rest.size());
		if (got <= 0)
			return std::nullopt;
		rest = rest.subspan(static_cast<std::size_t>(got));
	}
	// Nobody promises that there is one.
	seen.first_ambiguous.back() = '\0';
	return seen;
}

} // namespace

std::optional<ImageLook> look_at_image(UniqueFd image)
{
	std::array<int, 2> ends{};
	const pid_t parent = getpid();

	if (!image.valid() || pipe2(ends.data(), O_CLOEXEC) != 0)
		return std::nullopt;
	const UniqueFd output(ends[0]);
	UniqueFd input(ends[1]);
	const pid_t child = fork();
	if (child < 0)
		return std::nullopt;
	if (child == 0)
		_exit(answer(image.get(), input.get(), parent));
	input.reset();
	image.reset();
	const std::optional<ImageLook> seen = wait_for_answer(output.get());

	kill(child, SIGKILL);
	// One that hangs in a read of a device is left to itself.
	waitpid(child, nullptr, seen ? 0 : WNOHANG);
	return seen;
}

} // namespace erofs_share
