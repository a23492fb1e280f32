// SPDX-License-Identifier: GPL-2.0-only
// The command line program erofs-share: administrators use it to see what is
// shared and what could be (share_commands.cpp), the project's scripts to make
// content and to read results, the guest's init to run the demonstration.
#include "attributes.h"
#include "bench_commands.h"
#include "bench_cost_commands.h"
#include "compare.h"
#include "content.h"
#include "coverage.h"
#include "demo.h"
#include "demo_report.h"
#include "device_archive.h"
#include "error.h"
#include "fd.h"
#include "fingerprint_cases.h"
#include "fuzz.h"
#include "fuzz_report.h"
#include "image_patch.h"
#include "images.h"
#include "module_batch.h"
#include "no_trace.h"
#include "parity.h"
#include "quote.h"
#include "ram_session.h"
#include "record.h"
#include "report.h"
#include "seed_tree.h"
#include "share_commands.h"
#include "standard_descriptors.h"
#include "stress_commands.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace erofs_share;

void add_content_commands(CLI::App &app)
{
	auto *list = app.add_subcommand("list-trees",
					"print the names of the test trees");
	list->callback([] {
		for (const std::string &name : tree_names())
			std::cout << name << '\n';
	});

	static std::string name;
	static std::string directory;
	auto *make = app.add_subcommand(
		"make-tree", "make the files of a test tree in a directory");
	make->add_option("TREE", name, "one of list-trees")->required();
	make->add_option("DIR", directory, "an existing directory")
		->required()
		->check(CLI::ExistingDirectory);
	make->callback([] { make_tree(find_tree(name), directory); });

	static std::string archive;
	auto *attributes = app.add_subcommand(
		"make-attribute-archive",
		"write the tree \"attributes\" as a tar archive");
	attributes->add_option("FILE", archive, "the new archive")->required();
	attributes->callback([] { write_attribute_archive(archive); });

	static std::string mkfs;
	auto *cases = app.add_subcommand(
		"make-fingerprint-cases",
		"make the images of the fingerprint rule in a directory");
	cases->add_option("MKFS", mkfs, "path of mkfs.erofs")
		->required()
		->check(CLI::ExistingFile);
	cases->add_option("DIR", directory, "an existing directory")
		->required()
		->check(CLI::ExistingDirectory);
	cases->callback([] { make_fingerprint_cases(mkfs, directory); });

	static std::string device_archive;
	auto *devices = app.add_subcommand(
		"make-device-archive",
		"write the tree \"devices\" as a tar archive");
	devices->add_option("FILE", device_archive, "the new archive")
		->required();
	devices->callback([] { write_device_archive(device_archive); });

	static std::string image;
	static unsigned int prefix = 0;
	auto *declare = app.add_subcommand(
		"declare-fingerprints",
		"let a long attribute prefix of an image carry fingerprints");
	declare->add_option("IMAGE", image, "an erofs image")
		->required()
		->check(CLI::ExistingFile);
	declare->add_option("PREFIX", prefix, "number of the long prefix")
		->check(CLI::Range(0, 127));
	declare->callback([] {
		declare_fingerprints(image, static_cast<unsigned char>(prefix));
	});
}

/// Prints the line that scripts read: tests passed, failed and skipped.
void print_total(std::size_t passed, std::size_t failed, std::size_t skipped)
{
	std::cout << "total " << passed << ' ' << failed << ' ' << skipped
		  << '\n';
}

void add_report_commands(CLI::App &app)
{
	static std::string run;
	static std::string xml;
	auto *report = app.add_subcommand(
		"report", "results of all tests that guests ran");
	report->add_option("RUN", run, "directory of scripts/run-suite")
		->required()
		->check(CLI::ExistingDirectory);
	report->add_option("--xml", xml, "also write GoogleTest XML to a file");
	report->callback([] {
		Report all(run);
		std::size_t outside = 0;

		all.fail_remaining();
		all.print_table(std::cout);
		all.print_faults(std::cout);
		if (all.complained_outside()) {
			outside = 1;
			std::cout << "The kernel complained outside of any "
				     "test: a failed test of its own. See "
				  << run << "/guest-*/console.log.\n";
		}
		if (!xml.empty()) {
			std::ostringstream text;

			all.print_xml(text);
			write_file(xml, text.str());
		}
		print_total(all.count(Outcome::kPassed),
			    all.count(Outcome::kFailed) + outside,
			    all.count(Outcome::kSkipped));
	});

	auto *remaining = app.add_subcommand(
		"remaining", "tests without a result, one a line");
	remaining->add_option("RUN", run, "as for report")
		->required()
		->check(CLI::ExistingDirectory);
	remaining->callback([] {
		for (const std::string &test : Report(run).remaining())
			std::cout << test << '\n';
	});
}

void add_coverage_command(CLI::App &app)
{
	static std::string run;
	static std::string out;
	auto *coverage = app.add_subcommand(
		"coverage", "write gcov's counters that guests have sent");

	coverage->add_option("RUN", run, "as for report")
		->required()
		->check(CLI::ExistingDirectory);
	coverage->add_option("OUT", out, "where guest-N/*.gcda go")->required();
	coverage->callback([] {
		if (write_coverage(run, out) == 0)
			throw_error(ENOENT,
				    run + ": no guest has counted; expected a "
					  "run on a kernel with gcov");
	});
}

/// The side that @text, "NAME=RUN", describes.
Side side_of(const std::string &text)
{
	const std::size_t equals = text.rfind('=');

	if (equals == std::string::npos || equals == 0)
		throw CLI::ValidationError("'" + text +
					   "': expected NAME=RUN, a name and a "
					   "directory of scripts/run-suite");
	return {text.substr(0, equals), Report(text.substr(equals + 1))};
}

void add_compare_commands(CLI::App &app)
{
	static std::vector<std::string> texts;
	static std::string markdown;
	auto *compare = app.add_subcommand(
		"compare", "a row a promise, a column a run; fails when the "
			   "first run breaks one");
	// Names with "=" or ":" are none for the CLI11 of Debian 13.
	compare->add_option("SIDE", texts,
			    "NAME=RUN, a name and a directory of "
			    "scripts/run-suite")
		->required();
	compare->add_option("--markdown", markdown,
			    "append the same in Markdown to a file");
	compare->callback([] {
		std::vector<Side> sides;

		sides.reserve(texts.size());
		for (const std::string &text : texts)
			sides.push_back(side_of(text));
		const Comparison comparison(std::move(sides));
		comparison.print_text(std::cout);
		if (!markdown.empty()) {
			std::ofstream file(markdown, std::ios::app);

			comparison.print_markdown(file);
			if (!file.flush())
				throw_error(EIO, "write " + markdown);
		}
		if (!comparison.first_side_holds())
			throw CLI::RuntimeError(EXIT_FAILURE);
	});
}

void add_parity_commands(CLI::App &app)
{
	static std::string first;
	static std::string second;
	static bool modes = false;
	auto *parity = app.add_subcommand(
		"parity", "what users saw with the distribution's module and "
			  "with ours, where it differs");
	auto *stock = parity->add_option("STOCK", first,
					 "directory of scripts/run-suite");
	auto *ours = parity->add_option("OURS", second, "the same, of ours");
	parity->add_flag("--modes", modes,
			 "one RUN only: its tests' variants plain and shared; "
			 "differences are no failures");
	stock->required()->check(CLI::ExistingDirectory);
	ours->check(CLI::ExistingDirectory);
	parity->callback([] {
		if (modes != second.empty())
			throw CLI::ValidationError(
				"expected STOCK and OURS, or --modes and one "
				"directory");
		if (modes) {
			std::cout
				<< "differences that remain with sharing on\n";
			const ParityCount count =
				print_modes(Report(first), std::cout);
			std::cout << count.equal << " tests, "
				  << count.observations
				  << " values: the same without and with "
				     "sharing; "
				  << count.different << " differ.\n";
			return;
		}
		const ParityCount count =
			print_parity(Report(first), Report(second), std::cout);
		std::cout << "Without sharing, " << count.equal << " of "
			  << count.equal + count.different << " tests ("
			  << count.observations
			  << " observed values) see on our module what they "
			     "see on the distribution's.\n";
		// A stock module that ran nothing has shown nothing.
		const bool nothing = count.equal + count.different == 0;
		if (nothing)
			std::cout << "No test ran on the distribution's "
				     "module: a failed test of its own.\n";
		print_total(count.equal, nothing ? 1 : count.different, 0);
	});
}

void add_demo_commands(CLI::App &app)
{
	static std::vector<std::string> disks;
	auto *demo = app.add_subcommand(
		"demo", "in a guest: measure the page cache of two images "
			"without and with sharing");
	demo->add_option("SERIAL", disks, "serials of the images' disks")
		->required()
		->expected(2);
	demo->callback([] {
		RecordWriter().send(
			run_demo(disk_called(disks[0]), disk_called(disks[1])));
	});

	static std::string records;
	static std::string limit;
	auto *report = app.add_subcommand(
		"demo-report", "print the demonstration's table; fails when "
			       "sharing saved less than it should");
	report->add_option("RECORDS", records, "the guest's records")
		->required()
		->check(CLI::ExistingFile);
	report->add_option("LIMIT", limit, "limit.json of the demo images")
		->required()
		->check(CLI::ExistingFile);
	report->callback([] {
		if (!print_demo(std::cout, records, limit))
			throw CLI::RuntimeError(EXIT_FAILURE);
	});
}

void add_ram_commands(CLI::App &app)
{
	static std::string own;
	static std::string outside;
	auto *make = app.add_subcommand("new-domain-id",
					"print a random domain id, masked");
	make->callback(
		[] { std::cout << DomainId::random().masked_hex() << '\n'; });

	auto *walk = app.add_subcommand(
		"leave-no-trace", "in a guest: do all that a domain id can go "
				  "through, and wait at each point");
	auto *search = app.add_subcommand(
		"ram-search", "search a guest's memory at each point that "
			      "leave-no-trace comes to");
	for (auto *command : {walk, search}) {
		command->add_option("--id", own, "the masked domain id")
			->required();
		command->add_option("--outside-id", outside,
				    "a second one, for what is out of erofs' "
				    "reach")
			->required();
	}
	walk->callback([] {
		leave_no_trace(DomainId::from_masked_hex(own),
			       DomainId::from_masked_hex(outside));
	});

	static RamGuest guest;
	search->add_option("--dir", guest.directory, "run-guest's --dir")
		->required()
		->check(CLI::ExistingDirectory);
	search->add_option("--ram", guest.memory, "run-guest's --ram")
		->required();
	search->add_option("--qmp", guest.qmp, "run-guest's --qmp")->required();
	search->add_option("--go", guest.go, "run-guest's --go")->required();
	search->add_option("--runner", guest.runner, "run-guest's process")
		->required();
	search->callback([] {
		const RamReport report =
			search_at_points(guest, DomainId::from_masked_hex(own),
					 DomainId::from_masked_hex(outside));

		report.print(std::cout);
		print_total(report.passed(), report.failed(), 0);
	});
}

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

void add_fuzz_commands(CLI::App &app)
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
	mutant->add_option("DIR", images, "directory of scripts/fuzz-seeds")
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

void add_fuzz_report_commands(CLI::App &app)
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
		command->add_option("RUN", runs, "directories of scripts/fuzz")
			->required()
			->check(CLI::ExistingDirectory);
		command->add_option("--seeds", images,
				    "directory of scripts/fuzz-seeds")
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
					"make the tree of scripts/fuzz-seeds");
	tree->add_option("DIR", directory, "an existing directory")
		->required()
		->check(CLI::ExistingDirectory);
	tree->callback([] { make_seed_tree(directory); });
}

void add_batch_commands(CLI::App &app)
{
	static std::vector<std::string> words;
	static std::vector<std::string> arguments;
	static std::string program;
	auto *run = app.add_subcommand(
		"run-modules", "in a guest: one module after another in the "
			       "place of erofs, each with its tests");
	run->add_option("TRIAL", words,
			"NAME=PATTERN: /modules/batch/NAME.ko "
			"and GoogleTest's filter")
		->required();
	run->add_option("--program", program, "the tests")->required();
	run->add_option("--argument", arguments, "for the tests; often")
		->allow_extra_args(false);
	run->callback([] {
		std::vector<ModuleTrial> trials;

		trials.reserve(words.size());
		for (const std::string &word : words)
			trials.push_back(ModuleTrial::parse(word));
		run_module_batch(trials, program, arguments);
	});

	static std::string guest;
	static std::string out;
	auto *part = app.add_subcommand(
		"part-modules", "part what such a guest said by module, and "
				"print their names");
	part->add_option("GUEST", guest, "run-guest's --dir")
		->required()
		->check(CLI::ExistingDirectory);
	part->add_option("OUT", out, "where NAME/guest-N go")->required();
	part->callback([] {
		for (const std::string &name : part_module_batch(guest, out))
			std::cout << name << '\n';
	});
}

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
	add_content_commands(app);
	add_report_commands(app);
	add_coverage_command(app);
	add_compare_commands(app);
	add_parity_commands(app);
	add_demo_commands(app);
	add_ram_commands(app);
	add_fuzz_commands(app);
	add_fuzz_report_commands(app);
	add_batch_commands(app);
	add_stress_commands(app);
	add_bench_commands(app);
	add_bench_cost_commands(app);
	// --help is for administrators, and fits a screen.
	for (CLI::App *command : app.get_subcommands({}))
		command->group("");
	add_share_commands(app);
	app.footer("COMMAND --help shows its options. erofs-share(8) has the "
		   "exit status and the\ncommands that only the project's own "
		   "tests use.");
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
