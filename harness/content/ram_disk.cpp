// SPDX-License-Identifier: GPL-2.0-only
// Images in the guest's own memory.
#include "content/ram_disk.h"

#include "base/error.h"
#include "base/fd.h"
#include "content/images.h"

#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace erofs_share {

std::string copy_to_ram_disk(const std::string &serial, int number)
{
	return copy_to_device(serial, "/dev/ram" + std::to_string(number));
}

std::string copy_to_device(const std::string &serial, const std::string &target)
{
	constexpr std::size_t kChunk = 1 << 20;
	constexpr std::size_t kAlignment = 4096;
	const std::string source = disk_called(serial);
	const UniqueFd from = open_file(source, O_RDONLY | O_DIRECT);
	const UniqueFd to = open_file(target, O_WRONLY | O_DIRECT);
	const std::unique_ptr<void, decltype(&std::free)> buffer(
		std::aligned_alloc(kAlignment, kChunk), std::free);

	if (!buffer)
		throw_error(ENOMEM, "a buffer for " + target);
	for (;;) {
		const ssize_t got = read(from.get(), buffer.get(), kChunk);

		if (got < 0)
			throw_errno("read " + source);
		if (got == 0)
			return target;
		write_all(to.get(),
			  {static_cast<const std::byte *>(buffer.get()),
			   static_cast<std::size_t>(got)},
			  target);
	}
}

} // namespace erofs_share
