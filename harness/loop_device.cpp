// SPDX-License-Identifier: GPL-2.0-only
// Loop devices through LOOP_CONFIGURE.
#include "loop_device.h"

#include "error.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

namespace erofs_share {

namespace {

// Detached with its last user, also when this process is killed.
constexpr unsigned int kFlags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;

} // namespace

LoopDevice::LoopDevice(const std::string &file, LoopIo io)
{
	const UniqueFd control = open_file("/dev/loop-control", O_RDWR);
	const UniqueFd backing = open_file(file, O_RDONLY);

	// Another task may take the free device first: then ask again.
	for (int attempt = 0; attempt < 16; attempt++) {
		const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
		loop_config config{};

		if (number < 0)
			throw_errno("LOOP_CTL_GET_FREE");
		path_ = "/dev/loop" + std::to_string(number);
		device_ = open_file(path_, O_RDONLY);
		config.fd = static_cast<unsigned int>(backing.get());
		config.block_size = 512;
		config.info.lo_flags = kFlags;
		if (io == LoopIo::kDirect)
			config.info.lo_flags |= LO_FLAGS_DIRECT_IO;
		if (ioctl(device_.get(), LOOP_CONFIGURE, &config) == 0)
			return;
		if (errno == EINVAL) {
			config.block_size = 0;
			config.info.lo_flags = kFlags;
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
