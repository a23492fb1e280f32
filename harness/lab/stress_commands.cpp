// SPDX-License-Identifier: GPL-2.0-only
// Command lines of stress and soak.
#include "lab/lab_commands.h"

#include "stress/soak.h"
#include "stress/stress.h"
#include "stress/stress_report.h"
#include "wire/record.h"

#include <chrono>
#include <cstdlib>
#include <iostream>

namespace erofs_share {

namespace {

void print_tests(const TestCount &tests)
{
	print_total(tests.passed, tests.failed, 0);
}

/// Runs the soak in this guest, and sends what it reads.
bool run_soak(const SoakPlan &plan)
{
	const auto start = std::chrono::steady_clock::now();
	const RecordWriter records;
	const ImageStore store;
	const SoakResult result =
		soak(store, plan, [&](const SoakReading &reading) {
			const std::chrono::duration<double> spent =
				std::chrono::steady_clock::now() - start;

			records.send({{"event", "soak"},
				      {"cycle", reading.cycle},
				      {"seconds", spent.count()},
				      {"slab", reading.memory.slab},
				      {"percpu", reading.memory.percpu},
				      {"used", reading.memory.used},
				      {"free", reading.memory.free},
				      {"left", reading.left_objects}});
		});

	records.send({{"event", "soak-end"},
		      {"cycles", plan.cycles},
		      {"files", result.files},
		      {"failures", result.failures}});
	return result.failures.empty();
}

void add_stress(CLI::App &app)
{
	static StressPlan plan;
	auto *stress = app.add_subcommand(
		"stress", "in a guest: mount, read, reclaim and unload at "
			  "random, with many threads");
	stress->add_option("--seconds", plan.seconds, "how long");
	stress->add_option("--seed", plan.seed, "what to do");
	stress->add_option("--threads", plan.threads, "how many at once");
	stress->add_option("--round", plan.round,
			   "seconds between unmounting and unloading all");
	stress->callback([] {
		if (!run_stress(plan, RecordWriter()))
			throw CLI::RuntimeError(EXIT_FAILURE);
	});

	static std::vector<std::string> guests;
	auto *report = app.add_subcommand("stress-report", "what guests found");
	report->add_option("GUEST", guests, "run-guest's --dir, of each guest")
		->required()
		->check(CLI::ExistingDirectory);
	report->callback([] { print_tests(print_stress(std::cout, guests)); });
}

void add_soak(CLI::App &app)
{
	static SoakPlan plan;
	auto *soak = app.add_subcommand(
		"soak", "in a guest: mount, read and unmount over and over, "
			"and see what stays behind");
	soak->add_option("--cycles", plan.cycles, "how often");
	soak->add_option("--batch", plan.batch,
			 "cycles between readings of memory");
	soak->callback([] {
		if (!run_soak(plan))
			throw CLI::RuntimeError(EXIT_FAILURE);
	});

	static std::string guest;
	auto *report =
		app.add_subcommand("soak-report", "what memory the guest had");
	report->add_option("GUEST", guest, "run-guest's --dir")
		->required()
		->check(CLI::ExistingDirectory);
	report->callback([] { print_tests(print_soak(std::cout, guest)); });
}

} // namespace

void add_stress_commands(CLI::App &app)
{
	add_stress(app);
	add_soak(app);
}

} // namespace erofs_share
