// SPDX-License-Identifier: GPL-2.0-only
// Sends each test's result to the host the moment it is known, ends a guest in
// which a test hangs, and fails a test during which the kernel complained.
#pragma once

#include "base/proc.h"
#include "wire/record.h"

#include <chrono>
#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace erofs_share {

/// Ends the whole guest when a test takes longer than it may.
class Watchdog {
      public:
	Watchdog(const RecordWriter &records, std::chrono::seconds limit);
	Watchdog(const Watchdog &) = delete;
	Watchdog &operator=(const Watchdog &) = delete;
	Watchdog(Watchdog &&) = delete;
	Watchdog &operator=(Watchdog &&) = delete;
	~Watchdog();

	void test_starts(const std::string &test);
	void test_ends();

      private:
	void watch();
	void bite();

	const RecordWriter &records_;
	const std::chrono::seconds limit_;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::string test_;
	std::chrono::steady_clock::time_point deadline_;
	bool stop_ = false;
	std::thread thread_;
};

/// GoogleTest's listener for the guest.
class RecordListener : public testing::EmptyTestEventListener {
      public:
	explicit RecordListener(std::chrono::seconds limit)
	    : watchdog_(records_, limit)
	{
	}

	void OnTestIterationStart(const testing::UnitTest &unit,
				  int iteration) override;
	void OnTestStart(const testing::TestInfo &info) override;
	void OnTestPartResult(const testing::TestPartResult &result) override;
	void OnTestEnd(const testing::TestInfo &info) override;

	/// Sends GoogleTest's own XML, once that was written.
	void send_xml(const std::string &path) const;

      private:
	RecordWriter records_;
	Watchdog watchdog_;
	std::optional<KernelLog> log_;
	std::string text_;
};

} // namespace erofs_share
