// SPDX-License-Identifier: GPL-2.0-only
// pipe2(2).
#include "base/pipe.h"

#include "base/error.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace erofs_share {

Pipe::Pipe()
{
	std::array<int, 2> ends{};

	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe2");
	output = UniqueFd(ends[0]);
	input = UniqueFd(ends[1]);
}

} // namespace erofs_share
