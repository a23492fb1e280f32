// SPDX-License-Identifier: GPL-2.0-only
// What every command that writes a benchmark's tables is told.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace erofs_share {

/// Adds --out (an existing directory), --qemu and --command (what every table
/// says of how it was measured) to @table. The three strings get the values,
/// and must live until the command line is parsed.
void add_table_options(CLI::App &table, std::string &out, std::string &qemu,
		       std::string &command);

} // namespace erofs_share
