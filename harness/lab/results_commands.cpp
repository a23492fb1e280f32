// SPDX-License-Identifier: GPL-2.0-only
// Commands of the laboratory that read what guests have reported.
#include "lab/lab_commands.h"

#include "base/error.h"
#include "base/fd.h"
#include "results/compare.h"
#include "results/coverage.h"
#include "results/parity.h"
#include "results/report.h"

#include <fstream>
#include <iostream>
#include <sstream>

namespace erofs_share {

namespace {

/// The side that @text, "NAME=RUN", describes.
Side side_of(const std::string &text)
{
	const std::size_t equals = text.rfind('=');

	if (equals == std::string::npos || equals == 0)
		throw CLI::ValidationError("'" + text +
					   "': expected NAME=RUN, a name and a "
					   "directory of scripts/guest/run-suite");
	return {text.substr(0, equals), Report(text.substr(equals + 1))};
}

void add_report_commands(CLI::App &app)
{
	static std::string run;
	static std::string xml;
	auto *report = app.add_subcommand(
		"report", "results of all tests that guests ran");
	report->add_option("RUN", run, "directory of scripts/guest/run-suite")
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
			    "scripts/guest/run-suite")
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
					 "directory of scripts/guest/run-suite");
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

} // namespace

void print_total(std::size_t passed, std::size_t failed, std::size_t skipped)
{
	std::cout << "total " << passed << ' ' << failed << ' ' << skipped
		  << '\n';
}

void add_results_commands(CLI::App &app)
{
	add_report_commands(app);
	add_coverage_command(app);
	add_compare_commands(app);
	add_parity_commands(app);
}

} // namespace erofs_share
