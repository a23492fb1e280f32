// SPDX-License-Identifier: GPL-2.0-only
// The commands of erofs-share that an administrator uses.
#include "share_commands.h"

#include "check_image.h"
#include "command_output.h"
#include "error.h"
#include "estimate_source.h"
#include "fd.h"
#include "fingerprint_image.h"
#include "quote.h"
#include "status_commands.h"
#include "text_table.h"

#include <charconv>
#include <span>
#include <sstream>
#include <unistd.h>

namespace erofs_share {

namespace {

/// What a whole number from @least on has to be; CLI11 itself takes -1 for the
/// greatest one.
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

/// The options of commands that read images' contents.
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

/// Writes @text to standard output; fails with the reason that the system has.
void put(const std::string &text)
{
	write_all(STDOUT_FILENO, std::as_bytes(std::span(text)),
		  "to standard output");
}

/// Becomes the program of @words.
[[noreturn]] void become(const std::vector<std::string> &words)
{
	std::vector<char *> arguments;

	arguments.reserve(words.size() + 1);
	for (const std::string &word : words)
		arguments.push_back(const_cast<char *>(word.c_str()));
	arguments.push_back(nullptr);
	execvp(arguments[0], arguments.data());
	throw_errno("run " + words[0]);
}

void add_mount_commands(CLI::App &app)
{
	auto *mount = app.add_subcommand(
		"mount", "mount an image in a domain: [-o OPTIONS] IMAGE DIR");
	auto *umount = app.add_subcommand("umount", "unmount it: DIR");

	for (auto *command : {mount, umount})
		command->prefix_command();
	mount->footer("Runs mount -t erofs-share; see mount.erofs-share(8).");
	umount->footer("Runs umount(8).");
	mount->callback([mount] {
		or_fail([mount] {
			std::vector<std::string> words = {"mount", "-t",
							  "erofs-share"};

			for (const std::string &word : mount->remaining())
				words.push_back(word);
			become(words);
		});
	});
	umount->callback([umount] {
		or_fail([umount] {
			std::vector<std::string> words = {"umount"};

			for (const std::string &word : umount->remaining())
				words.push_back(word);
			become(words);
		});
	});
}

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

} // namespace

void add_share_commands(CLI::App &app)
{
	add_mount_commands(app);
	add_status_command(app);
	add_estimate_command(app);
	add_check_command(app);
	add_fingerprint_command(app);
}

} // namespace erofs_share
