// SPDX-License-Identifier: GPL-2.0-only
// The host's part of the proof that a domain id leaves no trace in memory: at
// each point that the guest names (secrecy_walk.h) it stops the guest, searches
// all of its memory and lets it go on.
#pragma once

#include "machine/domain_id.h"
#include "secrecy/ram_report.h"

#include <string>
#include <sys/types.h>

namespace erofs_share {

/// Where scripts/guest/run-guest put what a session needs.
struct RamGuest {
	std::string directory; ///< with "records" (--dir)
	std::string memory;    ///< the guest's memory (--ram)
	std::string qmp;       ///< QEMU's control socket (--qmp)
	std::string go;	       ///< the pipe that the guest waits at (--go)
	pid_t runner = 0;      ///< the process of run-guest
};

/// Searches at every point that the guest comes to, until the guest has ended.
/// @own and @outside: the ids that the guest was given. Throws when it loses
/// the guest in an odd way; a guest that just ends early is in the report.
RamReport search_at_points(const RamGuest &guest, const DomainId &own,
			   const DomainId &outside);

} // namespace erofs_share
