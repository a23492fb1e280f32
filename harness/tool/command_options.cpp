// SPDX-License-Identifier: GPL-2.0-only
// Options that several commands of erofs-share have.
#include "tool/command_options.h"

#include "base/quote.h"

#include <charconv>
#include <cstdint>
#include <string>

namespace erofs_share {

CLI::Validator whole_number(std::uint64_t least)
{
	return {[least](const std::string &text) -> std::string {
			const char *const end = text.data() + text.size();
			std::uint64_t number = 0;
			const auto [rest, error] =
				std::from_chars(text.data(), end, number);

			if (error == std::errc() && rest == end &&
			    number >= least)
				return "";
			return shell_word(text) +
			       ": expected a whole number, " +
			       std::to_string(least) + " or more";
		},
		"", ""};
}

void add_contents_options(CLI::App &command, ContentsOptions &options)
{
	command.add_flag_callback(
		"--no-kernel", [&options] { options.kernel = false; },
		"keep images from the kernel: fsck.erofs reads what is "
		"compressed");
	command.add_option("--most-bytes", options.most,
			   "read no more than N bytes of an image's files")
		->check(whole_number(1))
		->type_name("N");
}

} // namespace erofs_share
