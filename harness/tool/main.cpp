// SPDX-License-Identifier: GPL-2.0-only
// The command line program erofs-share: what administrators use to see what is
// shared and what could be.
#include "base/quote.h"
#include "base/standard_descriptors.h"
#include "tool/commands.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

namespace {

using namespace erofs_share;

/// Says that there is no command @word, and which there are. Returns the exit
/// status.
int no_command(const CLI::App &app, const std::string &word)
{
	std::string all;
	std::string meant;

	for (const CLI::App *command :
	     app.get_subcommands([](const CLI::App *one) {
		     return !one->get_group().empty();
	     })) {
		const std::string name = command->get_name();

		all += (all.empty() ? "" : ", ") + name;
		if (name.starts_with(word))
			meant = ": did you mean " + name + "?";
	}
	std::cerr << "erofs-share: there is no command " << shell_word(word)
		  << (meant.empty() ? "." : meant) << " There are " << all
		  << "; see erofs-share --help\n";
	return static_cast<int>(CLI::ExitCodes::ExtrasError);
}

/// Says that @word is no option before the command. Returns the exit status.
int no_option(const std::string &word)
{
	std::cerr << "erofs-share: " << shell_word(word)
		  << ": expected a command, and its options behind it; see "
		     "erofs-share --help\n";
	return static_cast<int>(CLI::ExitCodes::ExtrasError);
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("page cache sharing between erofs images");

	app.require_subcommand(1);
	add_mount_commands(app);
	add_status_command(app);
	add_estimate_command(app);
	add_check_command(app);
	add_fingerprint_command(app);
	app.footer("COMMAND --help shows its options. erofs-share(8) has the "
		   "exit status.");
	// CLI11 would only say that a command is required.
	if (argc > 1 && argv[1][0] == '-' && std::string(argv[1]) != "-h" &&
	    std::string(argv[1]) != "--help")
		return no_option(argv[1]);
	if (argc > 1 && argv[1][0] != '-' &&
	    app.get_subcommands([&](const CLI::App *command) {
		       return command->get_name() == argv[1];
	       }).empty())
		return no_command(app, argv[1]);
	try {
		fill_standard_descriptors();
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error);
	} catch (const std::exception &error) {
		std::cerr << "erofs-share: " << error.what() << '\n';
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
