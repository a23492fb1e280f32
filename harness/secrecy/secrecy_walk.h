// SPDX-License-Identifier: GPL-2.0-only
// The guest's part of the proof that a domain id leaves no trace in memory: it
// does everything that an id can go through, in every way of mounting, and at
// each named point waits while the host searches the guest's memory. The host's
// part is ram_session.h.
//
// A record "point" asks for a search:
//   point     what was just done
//   way       the way of mounting, "" where that does not matter
//   when      "during": the process that did it lives; "after": it has ended
//   expect    "nothing"; "every form": a control, which a search that works
//             must find in each form; "out of reach": the kernel frees a copy
//             before it asks any file system, so count, and blame nobody
//   id        "own" or "outside": which of the two ids to search for
//   outcome   how the kernel answered, for a person
//   surprise  why that is not what our module promises, "" if it is
#pragma once

#include "machine/domain_id.h"

namespace erofs_share {

/// The values of "expect" and of "id" in records.
inline constexpr const char *kExpectNothing = "nothing";
inline constexpr const char *kExpectEveryForm = "every form";
inline constexpr const char *kOutOfReach = "out of reach";
inline constexpr const char *kOwnId = "own";
inline constexpr const char *kOutsideId = "outside";

/// Walks all points. @own is the id that must leave no trace; @outside goes
/// where a trace is none of erofs' doing. Throws when something does not work
/// that has to; how the kernel answers to mounts is in the records.
void leave_no_trace(const DomainId &own, const DomainId &outside);

} // namespace erofs_share
