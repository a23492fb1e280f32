// SPDX-License-Identifier: GPL-2.0-only
// /dev/null for what is closed.
#include "base/standard_descriptors.h"

#include "base/error.h"

#include <fcntl.h>
#include <unistd.h>

namespace erofs_share {

void fill_standard_descriptors()
{
	for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; wanted++) {
		if (fcntl(wanted, F_GETFD) >= 0)
			continue;
		// The lowest that is free: those before are taken.
		if (open("/dev/null", O_RDWR) != wanted)
			throw_errno("descriptor " + std::to_string(wanted) +
				    " is closed; open /dev/null for it");
	}
}

} // namespace erofs_share
