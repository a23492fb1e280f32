// SPDX-License-Identifier: GPL-2.0-only
// SHA-256 of whole files, in the form that fingerprints have.
#pragma once

#include "base/data_sink.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace erofs_share {

/// A file to hash.
struct HashJob {
	std::string path;
	std::uint64_t size = 0; ///< for the progress bar
	/// If the file is shorter, it goes on with zeroes up to size.
	bool pad = false;
};

/// "sha256:" and the 32 bytes of the digest for each of @jobs, in their order:
/// the value that mkfs.erofs --xattr-inode-digest writes. A few threads share
/// the work. @what goes in front of the progress bar. Throws std::system_error
/// that names the first file which cannot be read.
std::vector<std::string> hash_files(const std::vector<HashJob> &jobs,
				    const std::string &what);

/// How many threads share such work at most.
inline constexpr unsigned int kHashThreads = 8;

/// Hands the contents of number @index to a sink, in thread number @thread.
using ReadContents = std::function<void(std::size_t index, unsigned int thread,
					const DataSink &sink)>;

/// The same for @count contents of @total bytes, which @read gives. What @read
/// throws ends all.
std::vector<std::string> hash_contents(std::size_t count, std::uint64_t total,
				       const std::string &what,
				       const ReadContents &read);

} // namespace erofs_share
