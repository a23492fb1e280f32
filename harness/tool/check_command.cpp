// SPDX-License-Identifier: GPL-2.0-only
// The command check of erofs-share.
#include "tool/commands.h"

#include "tool/check_image.h"
#include "tool/command_options.h"
#include "tool/command_output.h"

#include <sstream>

namespace erofs_share {

void add_check_command(CLI::App &app)
{
	static std::string image;
	static std::vector<std::string> devices;
	static ContentsOptions options;
	auto *check = app.add_subcommand(
		"check", "whether an image has fingerprints, and right ones");

	check->add_option("IMAGE", image, "an erofs image")
		->required()
		->type_name("");
	check->add_option("--device", devices,
			  "a file or device with data of the image, in order")
		->type_name("FILE")
		->expected(1)
		->take_all();
	add_contents_options(*check, options);
	check->callback([] {
		or_fail([] {
			const ImageCheck result =
				check_image(image, devices, options);

			std::ostringstream text;

			print_check(result, text);
			put(text.str());
			if (!result.right())
				throw CLI::RuntimeError(result.incomplete()
								? kExitFailed
								: kExitWrong);
		});
	});
}

} // namespace erofs_share
