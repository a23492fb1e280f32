// SPDX-License-Identifier: GPL-2.0-only
// The commands that measure costs and make tables of them.
#include "lab/lab_commands.h"

#include "bench/bench_alternatives.h"
#include "bench/bench_alternatives_table.h"
#include "bench/bench_cost.h"
#include "bench/bench_cost_table.h"
#include "bench/bench_numbers.h"
#include "lab/bench_table_options.h"

namespace erofs_share {

namespace {

/// @text, "KEY=VALUE", in two.
std::pair<std::string, std::string> split(const std::string &text)
{
	const std::size_t equals = text.find('=');

	if (equals == std::string::npos || equals == 0)
		throw CLI::ValidationError("'" + text +
					   "': expected KEY=VALUE");
	return {text.substr(0, equals), text.substr(equals + 1)};
}

void add_measure(CLI::App &app)
{
	static CostPlan plan;
	static std::vector<std::string> compressed;
	static bool plain_only = false;
	auto *measure = app.add_subcommand(
		"bench-cost", "in a guest: count what operations cost");

	measure->add_option("SERIAL", plan.plain_disk,
			    "disk with an uncompressed image of the tree")
		->required();
	measure->add_option("--labels", plan.labels_disk,
			    "disk with one whose files have a label as well")
		->required();
	measure->add_option("--compressed", compressed,
			    "OPERATION=SERIAL: a compressed one, and what it "
			    "is for")
		->allow_extra_args(false);
	measure->add_option("--rounds", plan.rounds, "how often")
		->check(CLI::Range(1, 100));
	measure->add_flag("--plain-only", plain_only, "do not share");
	measure->add_flag("--slice", plan.slice, "only what is quick");
	measure->callback([] {
		for (const std::string &text : compressed)
			plan.compressed.insert(split(text));
		plan.sharing = !plain_only;
		measure_costs(plan, RecordWriter());
	});

	static std::string directory;
	auto *tree = app.add_subcommand("make-cost-tree",
					"make the tree of scripts/bench/bench-cost");
	tree->add_option("DIR", directory, "an existing directory")
		->required()
		->check(CLI::ExistingDirectory);
	tree->callback([] { make_tree(cost_tree(), directory); });
}

void add_table(CLI::App &app)
{
	static CostTableRequest request;
	static std::vector<std::string> sides;
	static std::string out;
	auto *table = app.add_subcommand(
		"bench-cost-table", "make the table of what guests counted");

	table->add_option("GUEST", sides,
			  "KIND:LINE=DIR, what a guest ran (ours, again, "
			  "stock, mainline), "
			  "on which kernel line, and run-guest's --dir")
		->required();
	add_table_options(*table, out, request.qemu, request.command);
	table->add_option("--image", request.images, "what was measured on")
		->allow_extra_args(false);
	table->add_flag("--slice", request.slice, "of a short run");
	table->callback([] {
		for (const std::string &side : sides) {
			const auto [what, run] = split(side);
			request.sides.push_back(CostSide::read(what, run));
		}
		write_bench_table(make_cost_table(request), out);
	});
}

void add_alternatives(CLI::App &app)
{
	static std::vector<std::string> keys;
	static bool cost = false;
	auto *measure = app.add_subcommand(
		"bench-alternatives", "in a guest: what other ways of having "
				      "similar images take");
	measure->add_option("ALTERNATIVE", keys, "which")->required();
	measure->add_flag("--cost", cost,
			  "count instructions instead of memory");
	measure->callback([] {
		const RecordWriter records;

		for (const std::string &key : keys) {
			const Alternative &one = find_alternative(key);

			if (cost)
				measure_alternative_cost(one, records);
			else
				measure_alternative_memory(one, records);
		}
	});

	static AlternativesRequest request;
	static std::vector<std::string> sizes;
	static std::vector<std::string> missing;
	static std::string out;
	auto *table =
		app.add_subcommand("bench-alternatives-table",
				   "make the table of what guests measured");
	table->add_option("MEMORY", request.memory, "run-guest's --dir")
		->required();
	table->add_option("COST", request.cost, "the same, with --cost")
		->required();
	table->add_option("--size", sizes, "ALTERNATIVE=BYTES on disk")
		->allow_extra_args(false);
	table->add_option("--missing", missing,
			  "ALTERNATIVE=WHY it was not measured")
		->allow_extra_args(false);
	add_table_options(*table, out, request.qemu, request.command);
	table->add_option("--image", request.images, "what was measured on")
		->allow_extra_args(false);
	table->callback([] {
		for (const std::string &text : sizes) {
			const auto [key, bytes] = split(text);

			request.sizes[key] = std::stoull(bytes);
		}
		for (const std::string &text : missing)
			request.missing.insert(split(text));
		write_bench_table(make_alternatives_table(request), out);
	});

	static AlternativesMemoryRequest packages;
	static std::string memory_out;
	auto *memory = app.add_subcommand(
		"bench-alternatives-memory-table",
		"make the table of what guests measured of several packages");
	memory->add_option("GUESTS", packages.guests,
			   "has alternatives-memory-PACKAGE, run-guest's --dir")
		->required()
		->check(CLI::ExistingDirectory);
	memory->add_option("--limit", packages.limits,
			   "limit.json of a package; often")
		->required();
	add_table_options(*memory, memory_out, packages.qemu, packages.command);
	memory->callback([] {
		write_bench_table(make_alternatives_memory_table(packages),
				  memory_out);
	});
}

} // namespace

void add_bench_cost_commands(CLI::App &app)
{
	add_measure(app);
	add_table(app);
	add_alternatives(app);
}

} // namespace erofs_share
