// SPDX-License-Identifier: GPL-2.0-only
// One line for a failure, and JSON of any bytes.
#include "tool/command_output.h"

#include "base/fd.h"
#include "base/quote.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <span>
#include <unistd.h>

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
	const std::string text = json.dump(
		indent, ' ', false, nlohmann::json::error_handler_t::replace);
	std::string plain;

	// JSON lets through what terminals take for commands: they are in
	// strings only, and the same there when they are escaped.
	for (std::size_t at = 0; at < text.size(); at++) {
		const auto next = static_cast<unsigned char>(
			at + 1 < text.size() ? text[at + 1] : 0);

		if (text[at] == '\x7f') {
			plain += "\\u007f";
		} else if (text[at] == '\xc2' && next >= 0x80 && next < 0xa0) {
			plain += next < 0x90 ? "\\u008" : "\\u009";
			plain += "0123456789abcdef"[next & 0xf];
			at++;
		} else {
			plain += text[at];
		}
	}
	return plain;
}

void put(const std::string &text)
{
	write_all(STDOUT_FILENO, std::as_bytes(std::span(text)),
		  "to standard output");
}

} // namespace erofs_share
