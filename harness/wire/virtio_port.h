// SPDX-License-Identifier: GPL-2.0-only
// Named virtio serial ports: how the guest talks with the host. The console is
// only a log.
#pragma once

#include "base/fd.h"

#include <string>

namespace erofs_share {

/// Port over which the guest sends records to the host.
inline constexpr const char *kResultPort = "erofs-share.results";
/// Port over which the host tells the guest's init what to run.
inline constexpr const char *kCommandPort = "erofs-share.commands";
/// Port over which the host tells a program that waits at a named point to go
/// on: a byte for each.
inline constexpr const char *kGoPort = "erofs-share.go";

/// Opens the port called @name with open(2) @flags. Throws ENODEV when the
/// machine has no such port.
UniqueFd open_port(const std::string &name, int flags);

} // namespace erofs_share
