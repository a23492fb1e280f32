// SPDX-License-Identifier: GPL-2.0-only
// Results to the host, hanging tests, and kernel complaints.
#include "support/record_listener.h"

#include "base/fd.h"
#include "wire/complaints.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sys/reboot.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// Writing here lets WARN_ONCE() and the like speak again.
constexpr const char *kWarnOnce = "/sys/kernel/debug/clear_warn_once";

std::string full_name(const testing::TestInfo &info)
{
	return std::string(info.test_suite_name()) + "." + info.name();
}

} // namespace

Watchdog::Watchdog(const RecordWriter &records, std::chrono::seconds limit)
    : records_(records), limit_(limit), thread_([this] { watch(); })
{
}

Watchdog::~Watchdog()
{
	{
		const std::lock_guard lock(mutex_);
		stop_ = true;
	}
	changed_.notify_one();
	thread_.join();
}

void Watchdog::test_starts(const std::string &test)
{
	const std::lock_guard lock(mutex_);

	test_ = test;
	deadline_ = std::chrono::steady_clock::now() + limit_;
	changed_.notify_one();
}

void Watchdog::test_ends()
{
	const std::lock_guard lock(mutex_);

	test_.clear();
}

void Watchdog::watch()
{
	std::unique_lock lock(mutex_);

	while (!stop_) {
		if (test_.empty()) {
			changed_.wait(lock);
			continue;
		}
		if (changed_.wait_until(lock, deadline_) ==
			    std::cv_status::timeout &&
		    !test_.empty() &&
		    std::chrono::steady_clock::now() >= deadline_)
			bite();
	}
}

void Watchdog::bite()
{
	records_.send({{"event", "hung"},
		       {"test", test_},
		       {"seconds", limit_.count()}});
	// Blocked tasks, then all CPUs, into the console for the excerpt.
	write_text("/proc/sysrq-trigger", "w");
	write_text("/proc/sysrq-trigger", "l");
	std::this_thread::sleep_for(std::chrono::seconds(1));
	reboot(RB_AUTOBOOT);
}

void RecordListener::OnTestIterationStart(const testing::UnitTest &unit,
					  int /*iteration*/)
{
	std::vector<std::string> tests;

	for (int i = 0; i < unit.total_test_suite_count(); i++) {
		const testing::TestSuite &suite = *unit.GetTestSuite(i);

		for (int j = 0; j < suite.total_test_count(); j++)
			if (suite.GetTestInfo(j)->should_run())
				tests.push_back(
					full_name(*suite.GetTestInfo(j)));
	}
	records_.send({{"event", "plan"}, {"tests", tests}});
	log_.emplace();
}

void RecordListener::OnTestStart(const testing::TestInfo &info)
{
	text_.clear();
	records_.send({{"event", "start"}, {"test", full_name(info)}});
	watchdog_.test_starts(full_name(info));
}

void RecordListener::OnTestPartResult(const testing::TestPartResult &result)
{
	if (result.passed())
		return;
	if (!text_.empty())
		text_ += "\n";
	if (!result.skipped() && result.file_name() != nullptr)
		text_ += std::filesystem::path(result.file_name())
				 .filename()
				 .string() +
			 ":" + std::to_string(result.line_number()) + ": ";
	text_ += result.message();
}

void RecordListener::OnTestEnd(const testing::TestInfo &info)
{
	const testing::TestResult &result = *info.result();
	std::vector<std::string> complaints;
	Record properties = Record::object();

	watchdog_.test_ends();
	for (const std::string &line : log_->read_new()) {
		if (!is_complaint(line))
			continue;
		complaints.push_back(line);
		text_ += "\nthe kernel logged: " + line;
	}
	for (int i = 0; i < result.test_property_count(); i++) {
		const testing::TestProperty &property =
			result.GetTestProperty(i);

		properties[property.key()] = property.value();
	}
	records_.send(
		{{"event", "finish"},
		 {"test", full_name(info)},
		 {"outcome", result.Failed() || !complaints.empty() ? "failed"
			     : result.Skipped()			    ? "skipped"
								    : "passed"},
		 {"text", text_},
		 {"seconds",
		  static_cast<double>(result.elapsed_time()) / 1000.0},
		 {"complaints", complaints},
		 {"properties", properties}});
	if (complaints.empty())
		return;
	// What a kernel does after a complaint says nothing about the next
	// test: that gets a guest of its own. After a mere warning it goes on
	// as it was; let it warn again when there is reason to.
	if (std::any_of(complaints.begin(), complaints.end(),
			[](const std::string &line) {
				return line.find("WARNING:") ==
				       std::string::npos;
			}) ||
	    access(kWarnOnce, W_OK) != 0)
		reboot(RB_AUTOBOOT);
	write_text(kWarnOnce, "1");
}

void RecordListener::send_xml(const std::string &path) const
{
	if (std::filesystem::exists(path))
		records_.send({{"event", "xml"}, {"text", read_text(path)}});
}

} // namespace erofs_share
