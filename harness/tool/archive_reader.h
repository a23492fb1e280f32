// SPDX-License-Identifier: GPL-2.0-only
// Reads a tar archive by libarchive, in a process without root's rights.
#pragma once

#include "tool/archive_source.h"

#include <functional>
#include <string>

namespace erofs_share {

/// Hands the members of @archive to @visit, with the fingerprints of their
/// contents. Paths and links are as they stand there. What @visit throws ends
/// all. Throws std::system_error that names it, also where it has another
/// digest: then all that was visited counts for nothing.
void read_archive(const ArchiveFile &archive,
		  const std::function<void(ArchiveTree::Member)> &visit);

} // namespace erofs_share
