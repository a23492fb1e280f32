// SPDX-License-Identifier: GPL-2.0-only
// Loading and unloading the module that swaps mappings.
#include "support/swap_mapping.h"

#include "base/error.h"
#include "base/fd.h"
#include "machine/kernel_module.h"

#include <gtest/gtest.h>

namespace erofs_share {

namespace {

constexpr const char *kModule = "swap_mapping";

} // namespace

SwapMapping::SwapMapping(const std::string &target)
{
	const int error = load_module(
		std::string("/modules/") + kModule + ".ko", "file=" + target);

	if (error != 0)
		throw_error(error, std::string("load ") + kModule);
}

SwapMapping::~SwapMapping()
{
	EXPECT_EQ(unload_module(kModule), 0);
}

std::string SwapMapping::gfp()
{
	return read_text(std::string("/sys/module/") + kModule +
			 "/parameters/gfp");
}

} // namespace erofs_share
