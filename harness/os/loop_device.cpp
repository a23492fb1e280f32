// SPDX-License-Identifier: GPL-2.0-only
// Loop devices through LOOP_CONFIGURE.
#include "os/loop_device.h"

#include "base/error.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

namespace erofs_share {

LoopDevice::LoopDevice(const std::string &file, LoopIo io)
    : LoopDevice(file, LoopOptions{.io = io})
{
}

LoopDevice::LoopDevice(const std::string &file, const LoopOptions &options)
{
	const int mode = options.writable ? O_RDWR : O_RDONLY;
	const UniqueFd control = open_file("/dev/loop-control", O_RDWR);
	// Not to wait at a FIFO that took the file's place.
	const UniqueFd backing = open_file(file, mode | O_NONBLOCK);
	if (fcntl(backing.get(), F_SETFL, 0) != 0)
		throw_errno("fcntl " + file);
	// Detached with its last user, also when this process is killed.
	const unsigned int flags =
		LO_FLAGS_AUTOCLEAR |
		(options.writable ? 0U : unsigned{LO_FLAGS_READ_ONLY});

	// Another task may take the free device first: then ask again.
	for (int attempt = 0; attempt < 16; attempt++) {
		const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
		loop_config config{};

		if (number < 0)
			throw_errno("LOOP_CTL_GET_FREE");
		path_ = "/dev/loop" + std::to_string(number);
		device_ = open_file(path_, mode);
		config.fd = static_cast<unsigned int>(backing.get());
		config.block_size = options.block_size;
		config.info.lo_flags = flags;
		if (options.io == LoopIo::kDirect)
			config.info.lo_flags |= LO_FLAGS_DIRECT_IO;
		if (ioctl(device_.get(), LOOP_CONFIGURE, &config) == 0)
			return;
		if (errno == EINVAL) {
			config.block_size = 0;
			config.info.lo_flags = flags;
			if (ioctl(device_.get(), LOOP_CONFIGURE, &config) == 0)
				return;
		}
		if (errno != EBUSY)
			throw_errno("LOOP_CONFIGURE " + path_ + " for " + file);
	}
	throw_error(EBUSY, "no free loop device for " + file);
}

LoopDevice::~LoopDevice()
{
	if (device_.valid())
		ioctl(device_.get(), LOOP_CLR_FD);
}

} // namespace erofs_share
