// SPDX-License-Identifier: GPL-2.0-only
// The kernel's detector of lost memory, on kernels that have it. Source:
// Documentation/dev-tools/kmemleak.rst.
#pragma once

#include <string>

namespace erofs_share {

/// Whether this kernel looks for lost memory when it is asked to.
bool kmemleak_works();

/// Takes all that is lost by now as known: it is not reported again. Takes
/// seconds. Throws.
void kmemleak_clear();

/// What was lost, each object with the trace of its allocation; "" when nothing
/// was. Waits until all objects are old enough to be looked for (5 s) and scans
/// all memory. Throws.
std::string kmemleak_scan();

} // namespace erofs_share
