// SPDX-License-Identifier: GPL-2.0-only
// Handing options to an fs context, and failing with what the kernel says.
#include "helper/mount_steps.h"

#include "helper/mount_failure.h"
#include "helper/mount_refusal.h"

#include <system_error>

namespace erofs_share {

std::string reason(int error)
{
	return std::generic_category().message(error);
}

std::optional<KernelLog> follow_kernel_log()
{
	try {
		return KernelLog();
	} catch (const std::system_error &) {
		return std::nullopt;
	}
}

std::string about(const MountRequest &request, const std::string &text)
{
	return request.target + ": " + text;
}

void fail(const MountRequest &request, const std::string &text,
	  MountStatus status)
{
	throw MountFailure(status, about(request, text));
}

void fail_as(const MountRequest &request, const std::string &attempt,
	     const MountOutcome &outcome, std::optional<KernelLog> &log)
{
	const auto logged = log ? log->read_new() : std::vector<std::string>();
	const std::string meaning = explain(outcome, request.source, logged);
	std::string text;

	for (const std::string &line : words_of(outcome, logged))
		text += line + "\n" + about(request, "");
	text += attempt + ": " + reason(outcome.error) +
		(meaning.empty() ? "" : "; " + meaning);
	fail(request, text,
	     outcome.error == EPERM ? MountStatus::kUsage
				    : MountStatus::kFailed);
}

namespace {

/// Hands @options over; with -s, those that the kernel does not know are left
/// out.
bool set_options(FsContext &context, const MountRequest &request,
		 const std::vector<std::string> &options, MountReport &report)
{
	for (const std::string &option : options) {
		std::vector<std::string> log;

		if (context.set_option(option))
			continue;
		if (!request.sloppy)
			return false;
		// The kernel tells by its words only that it is the name.
		const int error = context.forgive(log);
		const auto words =
			words_of({.error = error, .call = "", .log = log}, {});
		if (words.empty() || !is_unknown_parameter(words.back()))
			fail(request, words.empty()
					      ? option + ": " + reason(error)
					      : words.back());
		report.warnings.push_back(
			about(request, words.back() + ", left out (-s)"));
	}
	return true;
}

} // namespace

bool set_all(FsContext &context, const MountRequest &request,
	     const std::vector<std::string> &options, const char *id,
	     MountReport &report)
{
	return context.set_flag("ro") &&
	       (id == nullptr || context.set_flag("inode_share")) &&
	       set_options(context, request, options, report) &&
	       (id == nullptr || context.set_string("domain_id", id));
}

void try_options(FsContext &context, const MountRequest &request, bool share,
		 MountReport &report)
{
	if (context.set_flag("ro") &&
	    (!share || context.set_flag("inode_share")))
		set_options(context, request, request.fs_options, report);
}

} // namespace erofs_share
