// SPDX-License-Identifier: GPL-2.0-only
// The program mount.erofs-share, which mount(8) runs for -t erofs-share: mounts
// an EROFS image with page cache sharing in the domain that a root-only file
// names. Its manual is Documentation/mount.erofs-share.8.
//
// It handles a secret: no core dumps, no other process looks into it, and no
// signal ends it before it has wiped what it read.
#include "base/held_signals.h"
#include "base/quote.h"
#include "base/standard_descriptors.h"
#include "helper/mount_failure.h"
#include "helper/mount_request.h"
#include "helper/share_mount.h"

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
using erofs_share::one_line;

constexpr const char *kName = "mount.erofs-share";
/// mount(8)'s status for a fault of ours.
constexpr int kSoftware = 4;

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
			std::cout << kName << ": " << one_line(line) << ".\n";
	for (const std::string &line : report.warnings)
		std::cerr << kName << ": " << one_line(line) << ".\n";
}

int complain(const std::string &text, int status)
{
	const std::string start = std::string(kName) + ": ";

	for (std::size_t at = 0; at < text.size();) {
		const std::size_t end =
			std::min(text.find('\n', at), text.size());

		std::cerr << start << one_line(text.substr(at, end - at))
			  << ".\n";
		at = end + 1;
	}
	return status;
}

} // namespace

int main(int argc, char **argv)
{
	MountReport report;

	prctl(PR_SET_DUMPABLE, 0);
	erofs_share::hold_signals();
	signal(SIGPIPE, SIG_IGN);
	try {
		erofs_share::fill_standard_descriptors();
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
