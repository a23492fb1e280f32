// SPDX-License-Identifier: GPL-2.0-only
// The command line program erofs-share: the host's scripts call it to make
// content and to read results, the guest's init to run the demonstration.
#include "content.h"
#include "demo.h"
#include "demo_report.h"
#include "error.h"
#include "image_patch.h"
#include "images.h"
#include "record.h"
#include "report.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>

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

void add_report_commands(CLI::App &app)
{
	static std::vector<std::string> guests;
	static std::string lost;
	static std::string xml;
	auto *report = app.add_subcommand(
		"report", "results of all tests that guests ran");
	report->add_option("GUEST", guests,
			   "directories with the records of each guest")
		->required()
		->check(CLI::ExistingDirectory);
	report->add_option("--lost", lost,
			   "count tests without a result as failed, for this "
			   "reason");
	report->add_option("--xml", xml, "also write GoogleTest XML to a file");
	report->callback([] {
		Report all(guests);

		if (!lost.empty())
			all.fail_remaining(lost);
		all.print_table(std::cout);
		std::cout << "total " << all.count(Outcome::kPassed) << ' '
			  << all.count(Outcome::kFailed) << ' '
			  << all.count(Outcome::kSkipped) << '\n';
		if (xml.empty())
			return;
		std::ofstream file(xml);
		all.print_xml(file);
		if (!file.flush())
			throw_error(EIO, "write " + xml);
	});

	auto *remaining = app.add_subcommand(
		"remaining", "tests without a result, one a line");
	remaining->add_option("GUEST", guests, "as for report")
		->required()
		->check(CLI::ExistingDirectory);
	remaining->callback([] {
		for (const std::string &test : Report(guests).remaining())
			std::cout << test << '\n';
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
		std::vector<std::string> paths;

		for (const std::string &serial : disks) {
			const auto path = find_disk(serial);

			if (!path)
				throw_error(ENODEV, "a disk with serial '" +
							    serial + "'");
			paths.push_back(*path);
		}
		RecordWriter().send(run_demo(paths[0], paths[1]));
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

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("page cache sharing between erofs images: test harness");

	app.require_subcommand(1);
	add_content_commands(app);
	add_report_commands(app);
	add_demo_commands(app);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error);
	} catch (const std::exception &error) {
		std::cerr << "erofs-share: " << error.what() << '\n';
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
