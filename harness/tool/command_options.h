// SPDX-License-Identifier: GPL-2.0-only
// Options that several commands of erofs-share have.
#pragma once

#include "tool/image_contents.h"

#include <CLI/CLI.hpp>
#include <cstdint>

namespace erofs_share {

/// What a whole number from @least on has to be; CLI11 itself takes -1 for the
/// greatest one.
CLI::Validator whole_number(std::uint64_t least);

/// The options of commands that read images' contents.
void add_contents_options(CLI::App &command, ContentsOptions &options);

} // namespace erofs_share
