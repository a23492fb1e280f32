// SPDX-License-Identifier: GPL-2.0-only
// A program that reads an image which may be anybody's, and may be taken over
// by it: in a process that can read that image and give back bytes, and as
// little else as this kernel lets us arrange.
//
// Root becomes a user that nobody else is, without groups and capabilities;
// there are no new privileges, no files to write, no other processes, no
// network where there are namespaces, limits on memory, time and descriptors, a
// short list of system calls, and the process ends with its parent. What
// reaches the parent are bytes of a pipe.
#pragma once

#include "base/data_sink.h"

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// What runs, and what it may have.
struct ConfinedProgram {
	/// The program's path, and its arguments.
	std::vector<std::string> words;
	/// Open files, which it finds as /proc/self/fd/3 and so on: they need
	/// not be where it could open them, but it must be allowed to read
	/// them.
	std::vector<int> files;
	/// If not empty, where it starts: it may write to what is there, but
	/// make nothing. Else it starts at the root and writes nowhere.
	std::string directory;
	/// The pipe with its data, which it opens by name. If there is none,
	/// data is its standard output.
	int data = -1;
	std::uint64_t seconds = 60; ///< of computing
};

/// What became of it.
struct ConfinedResult {
	int status = 0; ///< as Child::wait() has it
	/// What it said, but for data; cut off if it said more than anybody
	/// reads.
	std::string text;
	bool cut_off = false;
};

/// Runs @program to its end, and hands its data to @sink. What @sink throws
/// stops it. Throws std::system_error when it cannot be started. Any thread
/// may.
ConfinedResult run_confined(const ConfinedProgram &program,
			    const DataSink &sink);

/// What a program is confined by here, beside its user and its limits, that may
/// be missing, for a message; empty if nothing of importance is.
std::string missing_confinement();

} // namespace erofs_share
