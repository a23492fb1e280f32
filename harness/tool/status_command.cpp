// SPDX-License-Identifier: GPL-2.0-only
// The command status of erofs-share.
#include "tool/commands.h"

#include "base/atomic_file.h"
#include "base/fd.h"
#include "tool/command_output.h"
#include "tool/status_path.h"
#include "tool/status_report.h"
#include "tool/status_watch.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <span>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

/// What the command line asks for.
struct StatusRequest {
	bool json = false;
	bool openmetrics = false;
	bool watch = false;
	std::string interval; ///< behind --watch; may be the path
	double seconds = 2;
	std::string output;
	std::string path;
	std::string root;
};

/// The status as @request wants it, in @limits if it is for people.
std::string status_text(const StatusRequest &request,
			const StatusLimits &limits = {})
{
	const Status status = read_status(request.root);
	std::ostringstream text;

	if (request.openmetrics)
		return to_openmetrics(status);
	if (request.json)
		return json_text(to_json(status), -1) + "\n";
	print_status(status, text, limits);
	return text.str();
}

void put(const StatusRequest &request, const std::string &text)
{
	if (!request.output.empty()) {
		write_atomically(request.output, text);
		return;
	}
	write_all(STDOUT_FILENO, std::as_bytes(std::span(text)),
		  "the status to standard output");
}

/// What fits a screen of @size with the rest of the tables.
StatusLimits limits_for(const ScreenSize &size)
{
	// Titles, blank lines, the sum, and what says that there is more.
	constexpr std::size_t kOther = 7;
	const std::size_t rows = size.rows > kOther ? size.rows - kOther : 0;
	const std::size_t domains = std::max<std::size_t>(rows / 4, 1);

	return {.mounts = std::max<std::size_t>(rows, domains + 1) - domains,
		.domains = domains};
}

[[noreturn]] void watch_status(const StatusRequest &request)
{
	const bool on_screen = !request.json && !request.openmetrics &&
			       request.output.empty() &&
			       isatty(STDOUT_FILENO) == 1;

	if (on_screen)
		put(request, "\033[2J");
	for (;;) {
		if (on_screen) {
			const ScreenSize size = screen_size();

			put(request,
			    screen_of(status_text(request, limits_for(size)),
				      size));
		} else {
			const bool apart = !request.json &&
					   request.output.empty() &&
					   !request.openmetrics;

			put(request,
			    status_text(request) + (apart ? "\n" : ""));
		}
		std::this_thread::sleep_for(
			std::chrono::duration<double>(request.seconds));
	}
}

void show_path(const StatusRequest &request)
{
	const PathStatus status = read_path_status(request.path, request.root);

	if (request.json) {
		put(request, json_text(to_json(status), -1) + "\n");
	} else {
		std::ostringstream text;

		print_path_status(status, text);
		put(request, text.str());
	}
	if (status.sharing == Sharing::kUnknown)
		throw CLI::RuntimeError(kExitFailed);
	if (status.sharing != Sharing::kShares)
		throw CLI::RuntimeError(kExitWrong);
}

/// What follows --watch is the interval, or else the path.
void read_interval(StatusRequest &request)
{
	constexpr double kLeast = 0.1;
	constexpr double kMost = 86400;

	if (request.interval.empty())
		return;
	const char *const end =
		request.interval.data() + request.interval.size();
	double seconds = 0;
	const auto [rest, error] =
		std::from_chars(request.interval.data(), end, seconds);
	if (error == std::errc() && rest == end) {
		if (!(seconds >= kLeast && seconds <= kMost))
			throw CLI::ValidationError(
				"--watch", "expected 0.1 to 86400 seconds");
		request.seconds = seconds;
	} else if (request.path.empty()) {
		request.path = request.interval;
	} else {
		throw CLI::ValidationError("--watch",
					   "expected a number of seconds");
	}
}

void run(StatusRequest &request)
{
	read_interval(request);
	if (!request.path.empty() && (request.watch || request.openmetrics))
		throw CLI::ValidationError(
			"DIR|FILE", "is asked about once, as text or --json");
	or_fail([&] {
		if (!request.path.empty())
			show_path(request);
		else if (request.watch)
			watch_status(request);
		else
			put(request, status_text(request));
	});
}

} // namespace

void add_status_command(CLI::App &app)
{
	static StatusRequest request;
	auto *status = app.add_subcommand(
		"status", "what mounts share now, and what that saves");

	auto *path = status->add_option(
		"DIR|FILE", request.path,
		"only whether this mount or file shares, or why not");
	path->type_name("");
	auto *json = status->add_flag("--json", request.json,
				      "bytes as JSON, one object a line");
	status->add_flag("--openmetrics", request.openmetrics,
			 "for Prometheus and its node exporter")
		->excludes(json);
	auto *output = status->add_option("--output", request.output,
					  "put it in place of FILE, whole");
	output->type_name("FILE");
	auto *watch = status->add_option("--watch", request.interval,
					 "again and again, every 2 seconds or "
					 "as many");
	watch->expected(0, 1)->type_name("[SECONDS]");
	status->add_option("--interval", request.seconds,
			   "seconds between two of --watch")
		->check(CLI::Range(0.1, 86400.0))
		->needs(watch)
		->type_name("SECONDS");
	status->add_option("--root", request.root)->group("");
	status->callback([=] {
		// An empty one is a variable of a script that was not set, and
		// no question about all mounts.
		for (const CLI::Option *name : {path, output})
			if (name->count() > 0 &&
			    name->as<std::string>().empty())
				throw CLI::ValidationError(
					name->get_name(false, true),
					"expected a name that is not empty");
		request.watch = watch->count() > 0;
		run(request);
	});
}

} // namespace erofs_share
