// SPDX-License-Identifier: GPL-2.0-only
// Namespaces, and waiting for a program that answers.
#include "content/container.h"

#include "base/error.h"

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <span>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace erofs_share {

namespace {

void raise_loopback()
{
	const UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	ifreq request{};

	std::string("lo").copy(request.ifr_name, sizeof(request.ifr_name) - 1);
	request.ifr_flags = IFF_UP;
	if (ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) != 0)
		throw_errno("raise the loopback device");
}

void mount_at(const std::string &source, const std::string &target,
	      const char *type, unsigned long flags)
{
	if (mount(source.c_str(), target.c_str(), type, flags, nullptr) != 0)
		throw_errno("mount " + source + " on " + target);
}

/// What a program expects to find in @root, seen by this process's mount
/// namespace only.
void furnish(const std::string &root)
{
	mount_at("none", "/", nullptr, MS_REC | MS_PRIVATE);
	mount_at("proc", root + "/proc", "proc", 0);
	mount_at("/sys", root + "/sys", nullptr, MS_BIND | MS_REC);
	mount_at("/dev", root + "/dev", nullptr, MS_BIND);
	mkdir((root + "/dev/shm").c_str(), 0755);
	mount_at("tmpfs", root + "/dev/shm", "tmpfs", 0);
	mount_at("tmpfs", root + "/run", "tmpfs", 0);
	mount_at("tmpfs", root + "/tmp", "tmpfs", 0);
}

[[noreturn]] void run_inside(const std::string &root, const std::string &script)
{
	std::array<const char *, 4> words = {"bash", "-c", script.c_str(),
					     nullptr};
	std::array<const char *, 4> environment = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
		"/bin",
		"HOME=/root", "LC_ALL=C.UTF-8", nullptr};

	raise_loopback();
	furnish(root);
	if (chroot(root.c_str()) != 0 || chdir("/") != 0)
		throw_errno("chroot " + root);
	// The program must not find the port to the host among its files.
	close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	execve("/bin/bash", const_cast<char *const *>(words.data()),
	       const_cast<char *const *>(environment.data()));
	throw_errno("exec /bin/bash of the image");
}

} // namespace

Container::Container(const std::string &image, const std::string &script)
    : root_(mount_overlay({image}, &scratch_))
{
	std::array<int, 2> ends{};

	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe2");
	output_ = UniqueFd(ends[0]);
	UniqueFd input(ends[1]);
	start(script, input);
	// Only the program has it from now on: its end is the pipe's.
	input.reset();
	try {
		wait_until_ready();
	} catch (...) {
		stop();
		throw;
	}
}

Container::~Container()
{
	stop();
}

void Container::start(const std::string &script, const UniqueFd &output)
{
	constexpr unsigned long kNamespaces =
		CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET;

	// As fork(2), but the child is the first process of its namespace: all
	// others in it end with it.
	pid_ = static_cast<pid_t>(syscall(SYS_clone, kNamespaces | SIGCHLD,
					  nullptr, nullptr, nullptr, nullptr));
	if (pid_ < 0)
		throw_errno("clone");
	if (pid_ > 0)
		return;
	try {
		if (dup2(output.get(), STDOUT_FILENO) < 0 ||
		    dup2(output.get(), STDERR_FILENO) < 0)
			throw_errno("dup2");
		run_inside(root_.path(), script);
	} catch (const std::exception &error) {
		const std::string text = std::string(error.what()) + "\n";

		write_all(STDERR_FILENO, std::as_bytes(std::span(text)),
			  "standard error");
	}
	_exit(127);
}

void Container::wait_until_ready()
{
	constexpr std::size_t kMost = 2000;
	const std::string ready = "ready\n";
	std::array<char, 4096> part{};

	for (;;) {
		if (said_.ends_with(ready) &&
		    (said_.size() == ready.size() ||
		     said_[said_.size() - ready.size() - 1] == '\n')) {
			said_.resize(said_.size() - ready.size());
			return;
		}
		const ssize_t got =
			read(output_.get(), part.data(), part.size());
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			throw_errno("read from a container");
		if (got == 0)
			throw std::runtime_error(
				"a container's program ended before it was "
				"ready; the end of what it said: " +
				said_.substr(said_.size() -
					     std::min(said_.size(), kMost)));
		said_.append(part.data(), static_cast<std::size_t>(got));
	}
}

void Container::stop()
{
	if (pid_ < 0)
		return;
	kill(pid_, SIGKILL);
	waitpid(pid_, nullptr, 0);
	pid_ = -1;
}

} // namespace erofs_share
