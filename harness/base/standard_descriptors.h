// SPDX-License-Identifier: GPL-2.0-only
// Descriptors 0 to 2 that are there, whoever started the program.
#pragma once

namespace erofs_share {

/// Opens /dev/null where one of the descriptors 0 to 2 is closed, so that no
/// other file gets its number. Throws if it cannot.
void fill_standard_descriptors();

} // namespace erofs_share
