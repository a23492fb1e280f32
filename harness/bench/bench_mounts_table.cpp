// SPDX-License-Identifier: GPL-2.0-only
// The tables of many mounts.
#include "bench/bench_numbers.h"
#include "bench/scale_records.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

namespace erofs_share {

namespace {

/// The last mounts may cost so much more than the first, as a factor, beyond
/// what they do without inode_share.
constexpr double kGrowth = 1.05;
/// Mounting into a domain that is there may cost so much more than mounting
/// without inode_share, and making a domain for it so much more.
constexpr double kJoinCost = 1.2;
constexpr double kMakeCost = 2;

/// By whether it is one image, and count; then by mode.
using Mounts =
	std::map<std::pair<bool, std::uint64_t>, std::map<std::string, Record>>;

std::string mounts_row(const std::pair<bool, std::uint64_t> &key)
{
	return std::to_string(key.second) + (key.second == 1 ? ""
					     : key.first     ? ", one image"
							     : ", half equal");
}

constexpr const char *kMountImages =
	"eight files of 3000 bytes each, mounted from files of an ext4; \"half "
	"equal\": four files are the same in all images, four are each image's "
	"own";

/// One of the tables of write_mount_cost().
struct MountCost {
	const char *what; ///< the numbers' key in records
	const char *title;
	const char *doing; ///< of the sentence
	int order;
};

constexpr std::array kCosts = {
	MountCost{"mount", "Mounting, for each mount", "mounting", 20},
	MountCost{"open", "The first open of one file of each mount",
		  "a first open", 21},
	MountCost{"umount", "Unmounting, for each mount", "unmounting", 22}};

/// The checks of a hundred mounts or more, in @mode. Raises @worst to how much
/// the last ones cost more than the first.
void check_cost(Record &checks, const std::string &row, const std::string &mode,
		const MountCost &cost, const Numbers &all, const Numbers &plain,
		double &worst)
{
	const bool one = mode == "one";
	const std::string name = row + (one ? ", one domain" : ", own domains");
	const double limit = one ? kJoinCost : kMakeCost;
	const double ratio = trimmed_mean(all) / trimmed_mean(plain);
	const double grown = growth(all) / growth(plain);

	worst = std::max(worst, grown);
	checks.push_back(bench_check(
		name + ": the last cost what the first did, as without "
		       "inode_share",
		grown, kGrowth, grown <= kGrowth));
	checks.push_back(bench_check(name + ": " + cost.doing +
					     " costs little more than "
					     "without inode_share",
				     ratio, limit, ratio <= limit));
}

void write_mount_cost(const ScaleRecords &records, const Mounts &mounts,
		      const MountCost &cost)
{
	Record rows = Record::array();
	Record checks = Record::array();
	std::map<std::string, double> highest;
	double worst = 0;
	const bool all_too = cost.what == std::string("umount");

	for (const auto &[key, modes] : mounts) {
		const std::string row = mounts_row(key);
		const Numbers plain = modes.at("plain").at(cost.what);
		Record values = {{"plain", trimmed_mean(plain) / kThousand}};

		for (const std::string mode : {"one", "own"}) {
			const Numbers all = modes.at(mode).at(cost.what);
			const double ratio =
				trimmed_mean(all) / trimmed_mean(plain);

			values[mode] = trimmed_mean(all) / kThousand;
			values[mode + "_ratio"] = ratio;
			if (key.second < 100)
				continue;
			highest[mode] = std::max(highest[mode], ratio);
			check_cost(checks, row, mode, cost, all, plain, worst);
		}
		if (all_too)
			for (const auto &[mode, record] : modes)
				values[mode + "_all"] =
					record.at("umount_elapsed")
						.get<double>() /
					1e6;
		rows.push_back(
			{{"name", row}, {"values", values}, {"note", ""}});
	}
	Record columns = {bench_column("plain", "plain", kInstructions, 1),
			  bench_column("one", "one domain", kInstructions, 1),
			  bench_column("own", "own domains", kInstructions, 1),
			  bench_column("one_ratio", "one / plain", "", 3),
			  bench_column("own_ratio", "own / plain", "", 3)};
	if (all_too)
		for (const auto &[mode, name] :
		     {std::pair{"plain", "plain"},
		      std::pair{"one", "one domain"},
		      std::pair{"own", "own domains"}})
			columns.push_back(bench_column(
				std::string(mode) + "_all",
				std::string("all with waiting, ") + name, "ms",
				1));
	records.write(
		{{"name", std::string("scale-") + cost.what},
		 {"order", cost.order},
		 {"title", cost.title},
		 {"says", std::string("Of a hundred mounts and more, ") +
				  cost.doing + " costs at most " +
				  digits(highest["one"], 2) +
				  " times in one domain, and " +
				  digits(highest["own"], 2) +
				  " times with a domain for each, what it does "
				  "without inode_share; the last cost " +
				  digits(worst, 2) +
				  " times what the first did, against plain "
				  "mounts."},
		 {"images", {kMountImages}},
		 {"columns", columns},
		 {"rows", rows},
		 {"plot",
		  {{"kind", "bars"},
		   {"columns", {"plain", "one", "own"}},
		   {"unit", "thousand instructions for each"},
		   {"log", false}}},
		 {"checks", checks},
		 {"raw", records.named("mounts")}});
}

void write_mount_memory(const ScaleRecords &records, const Mounts &mounts)
{
	Record rows = Record::array();
	double most = 0;

	for (const auto &[key, modes] : mounts) {
		// Of fewer, the system's own unrest is larger.
		if (key.second < 100)
			continue;
		Record values = Record::object();
		const auto count = static_cast<double>(key.second);

		for (const auto &[mode, record] : modes)
			for (const char *what : {"used", "slab", "percpu"})
				values[mode + "_" + what] =
					record.at(what).get<double>() / count;
		for (const char *mode : {"one", "own"})
			most = std::max(
				most,
				values[std::string(mode) + "_used"]
						.get<double>() -
					values["plain_used"].get<double>());
		rows.push_back({{"name", mounts_row(key)},
				{"values", values},
				{"note", ""}});
	}
	if (rows.empty())
		return;
	Record columns = Record::array();
	for (const auto &[what, title] :
	     {std::pair{"used", "all"}, std::pair{"slab", "slab"},
	      std::pair{"percpu", "percpu"}})
		for (const auto &[mode, name] :
		     {std::pair{"plain", "plain"},
		      std::pair{"one", "one domain"},
		      std::pair{"own", "own domains"}})
			columns.push_back(bench_column(
				std::string(mode) + "_" + what,
				std::string(title) + ", " + name, "KB", 2));
	records.write({{"name", "scale-memory"},
		       {"order", 23},
		       {"title", "The kernel's memory for each mount, with one "
				 "file of it open"},
		       {"says", "A mount takes up to " + digits(most, 1) +
					" KB of the kernel's memory more with "
					"inode_share than without."},
		       {"images", {kMountImages}},
		       {"columns", columns},
		       {"rows", rows},
		       {"plot",
			{{"kind", "bars"},
			 {"columns", {"plain_used", "one_used", "own_used"}},
			 {"unit", "KB for each mount"},
			 {"log", false}}},
		       {"checks", Record::array()}});
}

} // namespace

void write_mount_tables(const ScaleRecords &records)
{
	Mounts mounts;

	for (const Record &record : records.named("mounts"))
		mounts[{record.at("same"), record.at("count")}]
		      [record.at("mode")] = record;
	for (auto entry = mounts.begin(); entry != mounts.end();)
		entry = entry->second.size() == 3 ? std::next(entry)
						  : mounts.erase(entry);
	if (mounts.empty())
		return;
	for (const MountCost &cost : kCosts)
		write_mount_cost(records, mounts, cost);
	write_mount_memory(records, mounts);
}

} // namespace erofs_share
