// SPDX-License-Identifier: GPL-2.0-only
// The program mount.erofs-share, which mount(8) runs for -t erofs-share: mounts
// an EROFS image with page cache sharing in the domain that a root-only file
// names. Its manual is Documentation/mount.erofs-share.8.
//
// It handles a secret: no core dumps, no other process looks into it, and no
// signal ends it before it has wiped what it read.
#include "mount_failure.h"
#include "mount_request.h"
#include "share_mount.h"

#include <array>
#include <csignal>
#include <iostream>
#include <new>
#include <span>
#include <sys/prctl.h>
#include <system_error>
#include <unistd.h>

namespace {

using erofs_share::MountFailure;
using erofs_share::MountReport;
using erofs_share::MountStatus;

constexpr const char *kName = "mount.erofs-share";
/// mount(8)'s status for a fault of ours.
constexpr int kSoftware = 4;

void on_signal(int /*signal*/)
{
	// It only has to end the wait for the id.
}

/// Signals that would end us come only where domain_id_file.cpp waits.
void hold_signals()
{
	struct sigaction action {};
	sigset_t held;

	action.sa_handler = on_signal;
	sigemptyset(&held);
	for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
		sigaddset(&held, signal);
		sigaction(signal, &action, nullptr);
	}
	sigprocmask(SIG_BLOCK, &held, nullptr);
	signal(SIGPIPE, SIG_IGN);
}

void run(std::span<char *> arguments, MountReport &report)
{
	if (getuid() != geteuid())
		throw MountFailure(MountStatus::kUsage,
				   "must not be set-user-ID; only root mounts "
				   "with sharing");
	const auto request = erofs_share::parse_mount_request(arguments);
	erofs_share::carry_out(request, report);
	if (request.verbose)
		for (const std::string &line : report.done)
			std::cout << kName << ": " << line << ".\n";
	for (const std::string &line : report.warnings)
		std::cerr << kName << ": " << line << ".\n";
}

int complain(const std::string &text, int status)
{
	const std::string start = std::string(kName) + ": ";

	for (std::size_t at = 0; at < text.size();) {
		const std::size_t end =
			std::min(text.find('\n', at), text.size());

		std::cerr << start << text.substr(at, end - at) << ".\n";
		at = end + 1;
	}
	return status;
}

} // namespace

int main(int argc, char **argv)
{
	MountReport report;

	prctl(PR_SET_DUMPABLE, 0);
	hold_signals();
	try {
		run({argv, static_cast<std::size_t>(argc)}, report);
	} catch (const MountFailure &failure) {
		return complain(failure.what(),
				static_cast<int>(failure.status()));
	} catch (const std::system_error &error) {
		return complain(error.what(),
				static_cast<int>(MountStatus::kSystem));
	} catch (const std::bad_alloc &) {
		return complain("out of memory",
				static_cast<int>(MountStatus::kSystem));
	} catch (const std::exception &error) {
		return complain(error.what(), kSoftware);
	}
	return 0;
}
