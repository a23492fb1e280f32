// SPDX-License-Identifier: GPL-2.0-only
// What every command that writes a benchmark's tables is told.
#include "lab/bench_table_options.h"

namespace erofs_share {

void add_table_options(CLI::App &table, std::string &out, std::string &qemu,
		       std::string &command)
{
	table.add_option("--out", out, "directory of the tables")
		->required()
		->check(CLI::ExistingDirectory);
	table.add_option("--qemu", qemu, "its version")->required();
	table.add_option("--command", command, "what was run")->required();
}

} // namespace erofs_share
