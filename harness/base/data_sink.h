// SPDX-License-Identifier: GPL-2.0-only
// Where the bytes of a file go that comes in parts.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace erofs_share {

/// Takes the bytes of a file, in their order.
using DataSink = std::function<void(std::span<const std::byte>)>;

} // namespace erofs_share
