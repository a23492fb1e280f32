// SPDX-License-Identifier: GPL-2.0-only
// The guest's first process. It mounts the pseudo file systems, loads the
// modules listed in /modules/first, without which there is no port to the host,
// and those in /modules/order, runs the commands that the host sends, one JSON
// array a line, looks for memory that the kernel has lost where it can tell,
// and ends the guest.
#include "base/error.h"
#include "base/fd.h"
#include "machine/kernel_module.h"
#include "machine/kmemleak.h"
#include "results/coverage.h"
#include "wire/record.h"
#include "wire/virtio_port.h"

#include <array>
#include <chrono>
#include <fcntl.h>
#include <iostream>
#include <sstream>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using erofs_share::Record;
using erofs_share::RecordWriter;
using erofs_share::UniqueFd;

void mount_pseudo(const char *type, const char *target)
{
	mkdir(target, 0755);
	// Not every kernel has all of them: debugfs and cgroup2 are extras.
	if (mount(type, target, type, 0, nullptr) != 0 && errno != EBUSY)
		std::cerr << "init: mount " << type << " on " << target << ": "
			  << std::generic_category().message(errno) << '\n';
}

void mount_all()
{
	mount_pseudo("proc", "/proc");
	mount_pseudo("sysfs", "/sys");
	mount_pseudo("devtmpfs", "/dev");
	mount_pseudo("tmpfs", "/tmp");
	mount_pseudo("tmpfs", "/run");
	// As on any system, and not as a tmpfs is by itself.
	chmod("/run", 0755);
	mount_pseudo("debugfs", "/sys/kernel/debug");
	mount_pseudo("tracefs", "/sys/kernel/tracing");
	mount_pseudo("cgroup2", "/sys/fs/cgroup");
	mkdir("/mnt", 0755);
	symlink("/proc/self/fd", "/dev/fd");
}

/// Loads the modules of the file @list: a file name and parameters a line.
/// Returns how many lines there are.
int load_modules(const std::string &list)
{
	std::istringstream lines(erofs_share::read_text(list));
	int count = 0;

	for (std::string line; std::getline(lines, line); ++count) {
		const std::size_t space = line.find(' ');
		const std::string file = "/modules/" + line.substr(0, space);
		const std::string parameters = space == std::string::npos
						       ? ""
						       : line.substr(space + 1);
		const int error = erofs_share::load_module(file, parameters);

		if (error != 0 && error != EEXIST)
			std::cerr << "init: insmod " << file << ": "
				  << std::generic_category().message(error)
				  << '\n';
	}
	return count;
}

/// Waits until the port to the host is there: its driver finds it some time
/// after it was loaded. Gives up after ten seconds.
void wait_for_port()
{
	for (int i = 0; i < 200; ++i) {
		try {
			erofs_share::open_port(erofs_share::kResultPort,
					       O_WRONLY);
			return;
		} catch (const std::exception &) {
			usleep(50000);
		}
	}
}

/// Runs @argv and waits. Returns its exit status, or 128 plus the signal.
int run(const std::vector<std::string> &argv)
{
	const pid_t child = fork();
	int status = 0;

	if (child < 0)
		erofs_share::throw_errno("fork");
	if (child == 0) {
		std::vector<char *> arguments;

		arguments.reserve(argv.size() + 1);
		for (const std::string &argument : argv)
			arguments.push_back(
				const_cast<char *>(argument.c_str()));
		arguments.push_back(nullptr);
		setsid();
		execv(arguments[0], arguments.data());
		std::cerr << "init: " << argv[0] << ": "
			  << std::generic_category().message(errno) << '\n';
		_exit(127);
	}
	// As the first process we also inherit orphans: reap those on the way.
	while (waitpid(-1, &status, 0) != child)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

void serve(const RecordWriter &records)
{
	const UniqueFd port =
		erofs_share::open_port(erofs_share::kCommandPort, O_RDONLY);
	std::string pending;
	std::array<char, 4096> buffer{};

	for (;;) {
		const std::size_t end = pending.find('\n');

		if (end == std::string::npos) {
			const ssize_t got =
				read(port.get(), buffer.data(), buffer.size());

			if (got <= 0)
				return;
			pending.append(buffer.data(),
				       static_cast<std::size_t>(got));
			continue;
		}

		const auto argv = Record::parse(pending.substr(0, end))
					  .get<std::vector<std::string>>();
		pending.erase(0, end + 1);
		// An empty command is the host's way to say that this is all.
		if (argv.empty())
			return;
		const auto start = std::chrono::steady_clock::now();
		const int status = run(argv);
		const std::chrono::duration<double> spent =
			std::chrono::steady_clock::now() - start;
		records.send({{"event", "command"},
			      {"argv", argv},
			      {"status", status},
			      {"seconds", spent.count()}});
	}
}

/// Puts what the kernel has lost on the console, where it is a complaint as any
/// other.
void look_for_leaks()
{
	if (erofs_share::kmemleak_works())
		std::cerr << erofs_share::kmemleak_scan();
}

void main_loop()
{
	utsname names{};

	mount_all();
	if (load_modules("/modules/first") > 0)
		wait_for_port();
	// Before anything that could hang: the host counts a guest as booted
	// from this record on, and never repeats it after.
	const RecordWriter records;
	uname(&names);
	records.send({{"event", "hello"},
		      {"kernel", names.release},
		      {"version", names.version}});
	records.share_with_children();
	load_modules("/modules/order");
	serve(records);
	look_for_leaks();
	erofs_share::send_coverage(records);
	records.send({{"event", "bye"}});
}

} // namespace

int main()
{
	setenv("PATH", "/bin:/sbin", 1);
	setenv("HOME", "/tmp", 1);
	try {
		main_loop();
	} catch (const std::exception &error) {
		std::cerr << "init: " << error.what() << '\n';
	}
	sync();
	// QEMU runs with -no-reboot. Power-off would need ACPI, which debug
	// kernels boot without.
	reboot(RB_AUTOBOOT);
	return 1;
}
