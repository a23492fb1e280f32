// SPDX-License-Identifier: GPL-2.0-only
// Finding named virtio serial ports.
#include "wire/virtio_port.h"

#include "base/error.h"

#include <filesystem>

namespace erofs_share {

UniqueFd open_port(const std::string &name, int flags)
{
	namespace fs = std::filesystem;
	const fs::path ports = "/sys/class/virtio-ports";

	if (fs::exists(ports)) {
		for (const auto &entry : fs::directory_iterator(ports)) {
			const fs::path file = entry.path() / "name";

			if (fs::exists(file) &&
			    read_text(file.string()) == name + "\n")
				return open_file("/dev/" + entry.path()
								   .filename()
								   .string(),
						 flags);
		}
	}
	throw_error(ENODEV, "virtio port " + name);
}

} // namespace erofs_share
