// SPDX-License-Identifier: GPL-2.0-only
// The program erofs-share-lab: what makes test content, runs in guests and
// reads their results. The project's scripts call it; no package has it.
#include "base/standard_descriptors.h"
#include "lab/lab_commands.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

int main(int argc, char **argv)
{
	using namespace erofs_share;

	CLI::App app(
		"the laboratory of page cache sharing between erofs images");

	app.require_subcommand(1);
	add_content_commands(app);
	add_results_commands(app);
	add_guest_commands(app);
	add_secrecy_commands(app);
	add_fuzz_commands(app);
	add_stress_commands(app);
	add_bench_commands(app);
	add_bench_cost_commands(app);
	app.footer(
		"scripts/ has the callers, Documentation/testing.rst says what "
		"for. COMMAND --help shows options.");
	try {
		fill_standard_descriptors();
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error);
	} catch (const std::exception &error) {
		std::cerr << "erofs-share-lab: " << error.what() << '\n';
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
