// SPDX-License-Identifier: GPL-2.0-only
// From records of scale to tables. What is compared is what the same guest
// measured without inode_share.
#include "bench/bench_scale_table.h"

#include "bench/bench_numbers.h"
#include "bench/scale_records.h"

#include <algorithm>
#include <cstdint>
#include <map>

namespace erofs_share {

namespace {

/// With sixteen threads, opens in a second may fall so far below those of a
/// plain mount, where files are attached already.
constexpr double kThreadCost = 0.9;
/// A file's first open in a large domain may cost so much more than in a small
/// one, beyond what it does without inode_share.
constexpr double kLookupGrowth = 1.15;

void write_files(const ScaleRecords &records)
{
	const std::vector<Record> files = records.named("files");
	Record rows = Record::array();
	Record last;
	double first_ratio = 0;
	double last_ratio = 0;

	if (files.empty())
		return;
	for (const Record &record : files) {
		const auto count = record.at("count").get<double>();
		const auto number = [&](const char *key) {
			return record.at(key).get<double>();
		};
		const auto bytes = [&](double kilobytes) {
			return kilobytes * 1024 / count;
		};
		const double plain = number("plain");
		Record values = {{"plain", plain / kThousand},
				 {"made", number("made") / kThousand},
				 {"found", number("found") / kThousand},
				 {"made_ratio", number("made") / plain},
				 {"found_ratio", number("found") / plain},
				 {"inode", bytes(number("plain_used"))},
				 {"shared", bytes(number("made_used") -
						  number("plain_used"))},
				 {"link", bytes(number("found_used") -
						number("plain_used"))}};

		// What every reading has beside the files is as large as a
		// thousand of them.
		if (count < 10000)
			for (const char *key : {"inode", "shared", "link"})
				values[key] = nullptr;
		last_ratio = number("found") / plain;
		if (first_ratio == 0)
			first_ratio = last_ratio;
		last = values;
		rows.push_back(
			{{"name", std::to_string(static_cast<long>(count))},
			 {"values", values},
			 {"note", ""}});
	}
	const double grown = last_ratio / first_ratio;
	std::string says =
		"With so many files in the domain, to find one at its first "
		"open costs " +
		digits(last_ratio, 2) + " times a plain first open";
	if (last["shared"].is_number())
		says += ", and the kernel keeps " + digits(last["shared"], 0) +
			" bytes for each shared file and " +
			digits(last["link"], 0) +
			" for each further mount that has it open, beside the "
			"inodes";
	records.write(
		{{"name", "scale-files"},
		 {"order", 24},
		 {"title", "First opens of files in one domain of that many"},
		 {"says", says + "."},
		 {"images",
		  {"small files with contents of their own, a thousand to a "
		   "directory, mounted from a file of an ext4"}},
		 {"columns",
		  {bench_column("plain", "plain", kInstructions, 1),
		   bench_column("made", "first in the domain", kInstructions,
				1),
		   bench_column("found", "second in the domain", kInstructions,
				1),
		   bench_column("made_ratio", "first / plain", "", 3),
		   bench_column("found_ratio", "second / plain", "", 3),
		   bench_column("inode", "plain inode and name", "bytes", 0),
		   bench_column("shared", "shared inode", "bytes", 0),
		   bench_column("link", "further mount", "bytes", 0)}},
		 {"rows", rows},
		 {"plot",
		  {{"kind", "lines"},
		   {"columns", {"plain", "made", "found"}},
		   {"unit", "thousand instructions for each"},
		   {"log", false}}},
		 {"checks",
		  {bench_check(
			  "finding a file costs in the largest domain what it "
			  "does in the smallest, as without inode_share",
			  grown, kLookupGrowth, grown <= kLookupGrowth)}},
		 {"raw", files}});
}

void write_threads(const ScaleRecords &records)
{
	static const std::map<std::string, std::string> kNames = {
		{"first", "files of their own, first open"},
		{"again", "files of their own, again"},
		{"same", "all the same file"}};
	std::map<std::string, std::map<std::uint64_t, Record>> ways;
	Record rows = Record::array();
	Record checks = Record::array();
	double least = 0;

	for (const Record &record : records.named("threads"))
		ways[record.at("way")][record.at("threads")] = record;
	for (const auto &[way, runs] : ways) {
		// One thread, and many.
		if (runs.size() != 2)
			continue;
		const Record &one = runs.begin()->second;
		const Record &many = runs.rbegin()->second;
		const Numbers plain = many.at("plain");
		const Numbers shared = many.at("shared");
		Numbers ratios;

		for (std::size_t i = 0; i < plain.size(); i++)
			ratios.push_back(shared[i] / plain[i]);
		const auto scaling = [&](const char *key) {
			return median(many.at(key).get<Numbers>()) /
			       median(one.at(key).get<Numbers>());
		};
		const double ratio = median(ratios);
		const double lost = scaling("shared") / scaling("plain");
		least = least == 0 ? ratio : std::min(least, ratio);
		rows.push_back({{"name", kNames.at(way)},
				{"values",
				 {{"ratio", ratio},
				  {"plain", scaling("plain")},
				  {"shared", scaling("shared")}}},
				{"note", ""}});
		if (way != "first")
			checks.push_back(bench_check(
				kNames.at(way) +
					": as many opens in a second as of a "
					"plain mount",
				ratio, kThreadCost, ratio >= kThreadCost));
		checks.push_back(bench_check(
			kNames.at(way) +
				": more threads win what they do on a plain "
				"mount, so they do not wait for each other",
			lost, kThreadCost, lost >= kThreadCost));
	}
	if (rows.empty())
		return;
	records.write(
		{{"name", "scale-threads"},
		 {"order", 25},
		 {"title", "Opens in a second by sixteen threads on two CPUs"},
		 {"says", "Sixteen threads open at least " + digits(least, 2) +
				  " times as many files in a second with "
				  "inode_share as without."},
		 {"images", {"as above"}},
		 {"columns",
		  {bench_column("ratio", "inode_share / plain", "", 2),
		   bench_column("plain", "16 threads / 1, plain", "", 2),
		   bench_column("shared", "16 threads / 1, inode_share", "",
				2)}},
		 {"rows", rows},
		 {"plot",
		  {{"kind", "bars"},
		   {"columns", {"ratio", "plain", "shared"}},
		   {"unit", "times"},
		   {"log", false}}},
		 {"checks", checks},
		 {"raw", records.named("threads")}});
}

void write_locks(const ScaleRecords &records)
{
	Record rows = Record::array();
	double most = 0;

	for (const Record &record : records.named("locks")) {
		const auto opens = record.at("opens").get<double>();
		Record values = Record::object();
		std::string worst;
		std::uint64_t waits = 0;

		for (const char *side : {"plain", "shared"}) {
			const std::map<std::string, std::uint64_t> locks =
				record.at(side);
			double all = 0;

			for (const auto &[lock, count] : locks) {
				all += static_cast<double>(count);
				if (side != std::string("shared") ||
				    count <= waits)
					continue;
				waits = count;
				worst = lock;
			}
			values[side] = all / opens * 1000;
		}
		most = std::max(most, values["shared"].get<double>());
		rows.push_back(
			{{"name", record.at("way")},
			 {"values", values},
			 {"note", worst.empty()
					  ? ""
					  : "with inode_share, most waits are "
					    "for " + worst}});
	}
	if (rows.empty())
		return;
	records.write(
		{{"name", "scale-locks"},
		 {"order", 26},
		 {"title",
		  "Waits for locks of the kernel in a thousand opens by "
		  "sixteen threads on two CPUs"},
		 {"says", "With inode_share, threads wait for a lock up to " +
				  digits(most, 0) +
				  " times in a thousand opens, on a kernel "
				  "that counts it (CONFIG_LOCK_STAT) and is "
				  "slow by that."},
		 {"images", {"as above"}},
		 {"columns",
		  {bench_column("plain", "plain", "waits", 1),
		   bench_column("shared", "inode_share", "waits", 1)}},
		 {"rows", rows},
		 {"checks", Record::array()},
		 {"raw", records.named("locks")}});
}

} // namespace

void write_scale_tables(const ScaleBench &bench)
{
	const ScaleRecords records(bench);

	write_mount_tables(records);
	write_files(records);
	write_threads(records);
	write_locks(records);
}

} // namespace erofs_share
