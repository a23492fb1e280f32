// SPDX-License-Identifier: GPL-2.0-only
// The command estimate of erofs-share.
#include "tool/commands.h"

#include "tool/command_options.h"
#include "tool/command_output.h"
#include "tool/estimate_source.h"

#include <sstream>

namespace erofs_share {

void add_estimate_command(CLI::App &app)
{
	static std::vector<std::string> paths;
	static std::size_t top = 10;
	static bool json = false;
	static ContentsOptions options;
	auto *estimate = app.add_subcommand(
		"estimate", "how much images, or what they are made of, would "
			    "share");

	estimate->add_option("IMAGE|DIR|TAR|OCI-DIR:TAG", paths,
			     "two or more: erofs images, directories, tars, "
			     "images in an OCI layout")
		->required()
		->type_name("")
		->expected(2, CLI::detail::expected_max_vector_size);
	estimate->add_option("--top", top,
			     "list so many files that keep similar images "
			     "apart, 10 if not given")
		->check(whole_number(0))
		->type_name("N");
	estimate->add_flag("--json", json, "bytes as JSON");
	add_contents_options(*estimate, options);
	estimate->callback([] {
		or_fail([] {
			std::vector<Source> sources;

			sources.reserve(paths.size());
			for (const std::string &path : paths)
				sources.push_back(
					read_any_source(path, options));
			const Estimate result = estimate_sharing(sources, top);
			std::ostringstream text;
			if (json)
				text << json_text(to_json(result), 2) << '\n';
			else
				print_estimate(result, text);
			put(text.str());
		});
	});
}

} // namespace erofs_share
