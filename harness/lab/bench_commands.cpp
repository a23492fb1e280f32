// SPDX-License-Identifier: GPL-2.0-only
// Command lines of the benchmarks: what guests measure, and what becomes of it.
#include "lab/lab_commands.h"

#include "base/fd.h"
#include "bench/bench_html.h"
#include "bench/bench_memory.h"
#include "bench/bench_memory_table.h"
#include "bench/bench_report.h"
#include "bench/bench_scale.h"
#include "bench/bench_scale_table.h"
#include "bench/bench_threads.h"
#include "bench/scale_images.h"
#include "content/images.h"
#include "lab/bench_table_options.h"

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace erofs_share {

namespace {

void report_tables(const std::string &directory, const std::string &rst)
{
	const std::vector<BenchTable> tables = read_bench_tables(directory);
	std::size_t passed = 0;
	std::size_t failed = 0;
	std::size_t skipped = 0;

	for (const BenchTable &table : tables) {
		print_bench_table(std::cout, table);
		write_file(directory + "/" + table.name + ".md",
			   bench_markdown(table));
		passed += table.count(true);
		failed += table.count(false);
		skipped += table.count(std::nullopt);
	}
	std::ostringstream page;
	write_bench_html(page, tables);
	write_file(directory + "/report.html", page.str());
	if (!rst.empty())
		for (const std::string &name :
		     write_bench_tables_into(rst, tables))
			std::cout << rst << " has no place for " << name
				  << ": no line '.. begin " << name << "'\n";
	std::cout << '\n'
		  << passed << " of " << passed + failed
		  << " checks hold. The same with plots: " << directory
		  << "/report.html\n";
	print_total(passed, failed, skipped);
}

void add_report(CLI::App &app)
{
	static std::string directory;
	static std::string rst;
	auto *report = app.add_subcommand(
		"bench-report", "print measured tables, and write them as "
				"Markdown and as a page with plots");
	report->add_option("DIR", directory, "with scripts/bench/bench's NAME.json")
		->required()
		->check(CLI::ExistingDirectory);
	report->add_option("--rst", rst,
			   "also put them between '.. begin NAME' and '.. end "
			   "NAME' of a file")
		->check(CLI::ExistingFile);
	report->callback([] { report_tables(directory, rst); });

	static std::string first;
	static std::string second;
	auto *compare = app.add_subcommand(
		"bench-compare", "which cells of two runs differ by more than "
				 "2 %; fails when there are any");
	compare->add_option("FIRST", first, "as DIR of bench-report")
		->required()
		->check(CLI::ExistingDirectory);
	compare->add_option("SECOND", second, "the same of another run")
		->required()
		->check(CLI::ExistingDirectory);
	compare->callback([] {
		if (!compare_bench_runs(std::cout, read_bench_tables(first),
					read_bench_tables(second)))
			throw CLI::RuntimeError(EXIT_FAILURE);
	});
}

void add_memory(CLI::App &app)
{
	static MemoryRun run;
	static std::string program;
	auto *reading = app.add_subcommand(
		"bench-reading", "in a guest: the page cache of two images, "
				 "all files read");
	auto *start = app.add_subcommand(
		"bench-start", "in a guest: the same, with a program started "
			       "from each");
	for (auto *command : {reading, start}) {
		command->add_option("NAME", run.name, "the record's name")
			->required();
		command->add_option("FIRST", run.first, "a disk's serial")
			->required();
		command->add_option("SECOND", run.second, "another's")
			->required();
		command->add_flag("--share", run.share, "with inode_share");
	}
	start->add_option("--program", program,
			  "what to run: a file of scripts/bench/bench-programs")
		->required()
		->check(CLI::ExistingFile);
	const auto with_disks = [] {
		MemoryRun found = run;

		found.first = disk_called(run.first);
		found.second = disk_called(run.second);
		return found;
	};
	reading->callback([with_disks] {
		RecordWriter().send(measure_reading(with_disks()));
	});
	start->callback([with_disks] {
		RecordWriter().send(
			measure_start(with_disks(), read_text(program)));
	});

	static MemoryBench bench;
	auto *table = app.add_subcommand("bench-memory-table",
					 "write the memory benchmark's tables");
	table->add_option("GUESTS", bench.guests, "directory of its guests")
		->required()
		->check(CLI::ExistingDirectory);
	add_table_options(*table, bench.out, bench.qemu, bench.command);
	table->add_option("--limit", bench.limits,
			  "limit.json of a package; often")
		->required();
	table->add_option("--table", bench.tables,
			  "read, zstd, mixed or start; often")
		->required();
	table->callback([] { write_memory_tables(bench); });
}

void add_scale_guest(CLI::App &app)
{
	static std::uint64_t count = 0;
	static bool same = false;
	static ThreadPlan plan;
	const auto send = [](const Record &record) {
		static const RecordWriter kWriter;

		kWriter.send(record);
	};
	auto *mounts = app.add_subcommand(
		"bench-mounts", "in a guest: the cost of many mounts");
	mounts->add_option("COUNT", count, "how many")->required();
	mounts->add_flag("--same", same, "all of one image");
	mounts->callback([send] { measure_mounts(count, same, send); });

	auto *files = app.add_subcommand("bench-files",
					 "in a guest: the cost of many files");
	files->add_option("COUNT", count, "how many")->required();
	files->callback([send] { measure_files(count, send); });

	auto *threads = app.add_subcommand(
		"bench-threads", "in a guest: many threads that open files");
	auto *locks = app.add_subcommand(
		"bench-locks", "in a guest: the locks that they wait for");
	for (auto *command : {threads, locks}) {
		command->add_option("--rounds", plan.rounds, "in turn");
		command->add_option("--opens", plan.opens,
				    "of each thread in a round");
	}
	threads->callback([send] { measure_threads(plan, send); });
	locks->callback([send] { measure_locks(plan, send); });
}

void add_scale(CLI::App &app)
{
	static ScaleTree tree;
	static std::string archive;
	auto *make = app.add_subcommand(
		"make-scale-archive",
		"write a tree of many small files as a tar archive");
	make->add_option("FILE", archive, "the new archive")->required();
	make->add_option("--files", tree.files, "how many")->required();
	make->add_option("--common", tree.common,
			 "how many of them are the same in every image");
	make->add_option("--image", tree.image, "whose own the others are");
	make->add_option("--size", tree.size, "of each, in bytes")->required();
	make->callback([] { write_scale_archive(tree, archive); });

	static ScaleBench bench;
	auto *table = app.add_subcommand("bench-scale-table",
					 "write the scale benchmark's tables");
	table->add_option("--guest", bench.guests, "run-guest's --dir; often")
		->required()
		->check(CLI::ExistingDirectory);
	add_table_options(*table, bench.out, bench.qemu, bench.command);
	table->callback([] { write_scale_tables(bench); });
}

} // namespace

void add_bench_commands(CLI::App &app)
{
	add_report(app);
	add_memory(app);
	add_scale_guest(app);
	add_scale(app);
}

} // namespace erofs_share
