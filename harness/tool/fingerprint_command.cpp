// SPDX-License-Identifier: GPL-2.0-only
// The command fingerprint of erofs-share.
#include "tool/commands.h"

#include "base/error.h"
#include "base/quote.h"
#include "base/text_table.h"
#include "tool/command_options.h"
#include "tool/command_output.h"
#include "tool/fingerprint_image.h"

#include <sstream>
#include <system_error>

namespace erofs_share {

namespace {

void print_made(const FingerprintRequest &request,
		const FingerprintResult &result)
{
	std::ostringstream text;

	text << quote_name(request.result) << ": " << result.files
	     << " files with fingerprints, " << human_bytes(result.bytes)
	     << " of contents, " << result.names << " names; the image has "
	     << human_bytes(result.size) << '\n';
	if (result.stale > 0)
		text << result.stale << " old fingerprints were left out.\n";
	if (result.unpacked)
		text << quote_name(request.image)
		     << " is compressed, and this is not: -- -zlz4hc behind "
			"the names compresses it.\n";
	try {
		put(text.str());
	} catch (const std::system_error &error) {
		throw_error(error.code().value(),
			    quote_name(request.result) +
				    ": it is made, and right; only what is "
				    "said of it could not be written to "
				    "standard output");
	}
}

} // namespace

void add_fingerprint_command(CLI::App &app)
{
	static FingerprintRequest request;
	auto *make = app.add_subcommand(
		"fingerprint", "make an image anew, with right fingerprints");

	make->add_option("OLD", request.image, "an erofs image")
		->required()
		->type_name("");
	make->add_option("NEW", request.result,
			 "name of the image to make; nothing may be there")
		->required()
		->type_name("");
	make->add_option("OPTION", request.options,
			 "behind a --: of mkfs.erofs, as in -- -zlz4hc")
		->type_name("");
	make->add_option("--device", request.devices,
			 "a file or device with data of OLD, in order")
		->type_name("FILE")
		->expected(1)
		->take_all();
	add_contents_options(*make, request.contents);
	make->callback([] {
		or_fail([] {
			print_made(request, fingerprint_image(request));
		});
	});
}

} // namespace erofs_share
