// SPDX-License-Identifier: GPL-2.0-only
// Loading and unloading kernel modules.
#include "machine/kernel_module.h"

#include "base/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace erofs_share {

int load_module(const std::string &file, const std::string &parameters)
{
	const UniqueFd fd = open_file(file, O_RDONLY);

	return syscall(SYS_finit_module, fd.get(), parameters.c_str(), 0) == 0
		       ? 0
		       : errno;
}

int unload_module(const std::string &name)
{
	return syscall(SYS_delete_module, name.c_str(), O_NONBLOCK) == 0
		       ? 0
		       : errno;
}

bool module_out_of_tree(const std::string &name)
{
	const std::string taint = "/sys/module/" + name + "/taint";

	return access(taint.c_str(), F_OK) == 0 &&
	       read_text(taint).find('O') != std::string::npos;
}

int module_references(const std::string &name)
{
	return std::stoi(read_text("/sys/module/" + name + "/refcnt"));
}

bool module_loaded(const std::string &name)
{
	const std::string state = "/sys/module/" + name + "/initstate";

	return access(state.c_str(), F_OK) == 0;
}

} // namespace erofs_share
