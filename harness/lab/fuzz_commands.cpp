// SPDX-License-Identifier: GPL-2.0-only
// Commands of the laboratory for hostile images.
#include "lab/lab_commands.h"

#include "content/seed_tree.h"
#include "fuzz/fuzz.h"
#include "fuzz/fuzz_report.h"

#include <iostream>

namespace erofs_share {

namespace {

void print_mutant(const Mutant &mutant)
{
	for (const Field *field : mutant.fields)
		std::cout << "# "
			  << kStructureNames[static_cast<std::size_t>(
				     field->structure)]
			  << ' ' << field->name << " at " << std::hex
			  << field->offset << std::dec << '\n';
	std::cout << mutant.recipe() << '\n';
}

void add_run_commands(CLI::App &app)
{
	static std::vector<std::string> words;
	static bool plain = false;
	auto *fuzz = app.add_subcommand(
		"fuzz", "in a guest: mount mutants of the seeds");
	fuzz->add_option("MUTANTS", words, "SEED:FROM:COUNT")->required();
	fuzz->callback([] {
		std::vector<MutantRange> ranges;

		ranges.reserve(words.size());
		for (const std::string &word : words)
			ranges.push_back(MutantRange::parse(word));
		fuzz_ranges(ranges);
	});

	auto *recipes = app.add_subcommand(
		"fuzz-recipes", "in a guest: mount mutants by their recipes");
	recipes->add_option("RECIPE", words, "a line of \"mutant\"")
		->required();
	recipes->add_flag("--plain", plain, "without sharing");
	recipes->callback([] { fuzz_recipes(words, !plain); });

	static std::string images;
	static std::string seed;
	static std::uint64_t number = 0;
	static std::uint64_t count = 1;
	auto *mutant = app.add_subcommand(
		"mutant", "print the recipes of mutants, each behind what it "
			  "changes");
	mutant->add_option("DIR", images, "directory of scripts/images/fuzz-seeds")
		->required()
		->check(CLI::ExistingDirectory);
	mutant->add_option("SEED", seed, "name of an image there")->required();
	mutant->add_option("NUMBER", number, "which")->required();
	mutant->add_option("COUNT", count, "how many from there on");
	mutant->callback([] {
		const Mutator mutator = mutator_of(images, seed);

		for (std::uint64_t i = 0; i < count; i++)
			print_mutant(mutator.make(number + i));
	});
}

void add_report_commands(CLI::App &app)
{
	static std::vector<std::string> runs;
	static std::string images;
	static std::string known;
	static std::string directory;
	auto *report = app.add_subcommand(
		"fuzz-report", "results of hostile images, as a table");
	auto *left = app.add_subcommand("fuzz-remaining",
					"what no guest has run yet");
	for (auto *command : {report, left}) {
		command->add_option("RUN", runs, "directories of scripts/check/fuzz")
			->required()
			->check(CLI::ExistingDirectory);
		command->add_option("--seeds", images,
				    "directory of scripts/images/fuzz-seeds")
			->required();
		command->add_option("--known", known, "tests/regressions")
			->required();
	}
	report->callback([] {
		const FuzzReport all(runs, images, Regression::read_all(known));

		all.print(std::cout);
		print_total(all.passed(), all.failed(), all.skipped());
	});
	left->callback([] {
		for (const std::string &line :
		     FuzzReport(runs, images, Regression::read_all(known))
			     .remaining())
			std::cout << line << '\n';
	});

	auto *regressions = app.add_subcommand(
		"regressions", "recipes of tests/regressions that must not "
			       "crash, one a line");
	regressions->add_option("DIR", known, "tests/regressions")->required();
	regressions->callback([] {
		for (const Regression &regression : Regression::read_all(known))
			if (regression.stock.empty())
				std::cout << regression.recipe << '\n';
	});

	auto *tree = app.add_subcommand("make-seed-tree",
					"make the tree of scripts/images/fuzz-seeds");
	tree->add_option("DIR", directory, "an existing directory")
		->required()
		->check(CLI::ExistingDirectory);
	tree->callback([] { make_seed_tree(directory); });
}

} // namespace

void add_fuzz_commands(CLI::App &app)
{
	add_run_commands(app);
	add_report_commands(app);
}

} // namespace erofs_share
