// SPDX-License-Identifier: GPL-2.0-only
// One line for a failure, and JSON of any bytes.
#include "command_output.h"

#include "quote.h"
#include "share_commands.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace erofs_share {

void or_fail(const std::function<void()> &body)
{
	try {
		body();
	} catch (const CLI::Error &) {
		throw;
	} catch (const std::exception &error) {
		std::cerr << "erofs-share: " << one_line(error.what()) << '\n';
		throw CLI::RuntimeError(kExitFailed);
	}
}

std::string json_text(const nlohmann::json &json, int indent)
{
	return json.dump(indent, ' ', false,
			 nlohmann::json::error_handler_t::replace);
}

} // namespace erofs_share
