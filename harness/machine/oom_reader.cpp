// SPDX-License-Identifier: GPL-2.0-only
// Filling a memory cgroup in which somebody reads.
#include "machine/oom_reader.h"

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/cgroup.h"

#include <array>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr const char *kLimit = "12M";
constexpr std::size_t kStep = 256 << 10;
constexpr useconds_t kPause = 1000;

/// Takes more and more memory until the kernel ends this or another process.
int eat_memory()
{
	for (;;) {
		void *memory = mmap(nullptr, kStep, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory != MAP_FAILED)
			std::memset(memory, 1, kStep);
		usleep(kPause);
	}
}

/// Reads the file at @path until the kernel ends this process.
int read_forever(const char *path)
{
	static std::array<char, 1 << 16> buffer;
	constexpr time_t kSeconds = 90;
	const time_t end = time(nullptr) + kSeconds;

	while (time(nullptr) < end) {
		const int fd = open(path, O_RDONLY);
		ssize_t got = 0;

		if (fd < 0)
			return 1;
		while ((got = read(fd, buffer.data(), buffer.size())) > 0)
			;
		if (got < 0)
			return 1;
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	return 2;
}

} // namespace

OomResult read_until_oom_kill(const std::string &path)
{
	const Cgroup group;
	std::array<int, 2> ends{};

	if (const int error = group.set("memory.max", kLimit); error != 0)
		throw_error(error, "set memory.max of a cgroup");
	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe2");
	const UniqueFd ready(ends[0]);
	UniqueFd tell(ends[1]);
	Child reader([&] {
		group.enter();
		write_text("/proc/self/oom_score_adj", "1000");
		if (write(tell.get(), "", 1) != 1)
			return 1;
		return read_forever(path.c_str());
	});
	tell.reset();
	// Until the reader is the one to go: else the killer could end the
	// eater, and nobody would be left to fill the group. It says so by a
	// byte: the end of the file would not come while a reader of another
	// thread, forked meanwhile, has the pipe open as well.
	std::array<std::byte, 1> none{};
	if (read(ready.get(), none.data(), none.size()) < 0)
		throw_errno("wait for the reader");
	// What a forked process has in common with its parent counts for the
	// killer, if not for the group. The eater has that, too, and more.
	const Child eater([&] {
		group.enter();
		write_text("/proc/self/oom_score_adj", "-900");
		return eat_memory();
	});
	OomResult result;

	result.status = reader.wait();
	result.kills = group.events("oom_kill");
	return result;
}

} // namespace erofs_share
