// SPDX-License-Identifier: GPL-2.0-only
// Commands of the laboratory that run in a guest: the demonstration, and many
// modules one after another; and those that read what these said.
#include "lab/lab_commands.h"

#include "content/images.h"
#include "lab/demo.h"
#include "lab/demo_report.h"
#include "lab/module_batch.h"
#include "wire/record.h"

#include <iostream>

namespace erofs_share {

namespace {

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

} // namespace

void add_guest_commands(CLI::App &app)
{
	add_demo_commands(app);
	add_batch_commands(app);
}

} // namespace erofs_share
