// SPDX-License-Identifier: GPL-2.0-only
// Records that the guest sends to the host, one JSON object a line. Each is on
// the host before the call that sends it returns, so a guest that dies leaves
// behind everything up to its last moment.
//
// "event" says what a record is:
//   hello    the guest's init runs: kernel, version (uname -r and -v)
//   command  a command ended: argv, status, seconds
//   bye      all commands are done
//   plan     the tests that this process is going to run: tests
//   start    a test begins: test
//   finish   it ended: test, outcome (passed, failed, skipped), text, seconds,
//            complaints (lines of the kernel's log), properties (name: value,
//            what the test recorded of itself)
//   hung     a test did not end in time: test, seconds
//   xml      the GoogleTest XML of a whole process: text
//   module   another module comes in the place of erofs: name; module-end: all
//            its tests are over
//   coverage which lines of our own files ran: see coverage.h
//   demo     the page cache measured by the demo; bench: a benchmark's, by name
//   stress   what a stress run has done so far; stress-end at its end, with
//            "failures"
//   soak     memory after so many cycles; soak-end at the end of them, with
//            "failures"
//   point    a program waits for the search of its memory: see secrecy_walk.h
#pragma once

#include "base/fd.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace erofs_share {

using Record = nlohmann::json;

/// Environment variable: number of an inherited descriptor of the result port.
inline constexpr const char *kResultFd = "EROFS_SHARE_RESULT_FD";

/// Sends records to the host.
class RecordWriter {
      public:
	/// Uses the descriptor that kResultFd of the environment names, else
	/// the guest's result port, which only one process can open. Without
	/// either, records go nowhere, so that a program can also be run by
	/// hand.
	RecordWriter();

	/// Lets programs started from now on send records too.
	void share_with_children() const;

	/// Sends @record and returns when the host has it.
	void send(const Record &record) const;

      private:
	UniqueFd fd_;
};

/// The records in the file @path, in order. A last line that was cut short by
/// the guest's death is left out. Throws when the file cannot be read or a
/// whole line is no JSON.
std::vector<Record> read_records(const std::string &path);

} // namespace erofs_share
