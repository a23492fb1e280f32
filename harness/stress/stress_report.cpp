// SPDX-License-Identifier: GPL-2.0-only
// Tables of stress and soak.
#include "stress/stress_report.h"

#include "stress/stress_actions.h"
#include "wire/record.h"

#include <filesystem>
#include <iomanip>
#include <map>
#include <set>

namespace erofs_share {

namespace {

using Counts = std::map<std::string, std::uint64_t>;

/// The last record of the kind @event, or of @progress when the guest died.
Record last_record(const std::vector<Record> &records, const std::string &event,
		   const std::string &progress)
{
	Record last;

	for (const Record &record : records)
		if (record.at("event") == event ||
		    record.at("event") == progress)
			last = record;
	return last;
}

bool complained(const std::string &guest)
{
	return std::filesystem::exists(guest + "/complaint");
}

/// One guest of a stress run.
bool print_guest(std::ostream &out, const std::string &guest, Counts &counts)
{
	const Record last = last_record(read_records(guest + "/records"),
					"stress-end", "stress");
	bool good = !complained(guest);

	if (last.is_null()) {
		out << "FAILED " << guest << ": ended before it began\n";
		return false;
	}
	for (const auto &[name, count] :
	     last.at("counts").get<std::map<std::string, std::uint64_t>>())
		counts[name] += count;
	out << "seed " << last.at("seed") << ": " << std::fixed
	    << std::setprecision(0) << last.at("seconds").get<double>()
	    << " s, " << last.at("threads") << " threads; slab "
	    << last.at("slab_before") << " -> " << last.at("slab_after")
	    << " KB, percpu " << last.at("percpu_before") << " -> "
	    << last.at("percpu_after") << " KB"
	    << (last.at("kmemleak").get<bool>() ? "" : "; no kmemleak") << '\n';
	if (last.at("event") != "stress-end") {
		good = false;
		out << "FAILED the guest did not come to the end; see " << guest
		    << "/console.log\n";
	} else if (complained(guest)) {
		out << "FAILED the guest's kernel complained; see " << guest
		    << "/console.log\n";
	}
	for (const std::string failure : last.at("failures")) {
		good = false;
		out << "FAILED " << failure << '\n';
	}
	return good;
}

void print_counts(std::ostream &out, const Counts &counts)
{
	std::set<std::string> printed;
	const auto row = [&](const std::string &name) {
		const auto found = counts.find(name);

		out << "  " << std::left << std::setw(20) << name << std::right
		    << std::setw(14)
		    << (found == counts.end() ? 0 : found->second) << '\n';
		printed.insert(name);
	};

	for (const StressAction &action : StressActor::actions())
		row(action.name);
	out << "what came of them:\n";
	for (const auto &[name, count] : counts)
		if (printed.count(name) == 0)
			row(name);
}

} // namespace

TestCount print_stress(std::ostream &out,
		       const std::vector<std::string> &guests)
{
	TestCount tests;
	Counts counts;

	for (const std::string &guest : guests)
		tests.failed += print_guest(out, guest, counts) ? 0 : 1;
	out << "actions:\n";
	print_counts(out, counts);
	tests.passed = counts["rounds"];
	if (tests.failed == 0 && tests.passed > 0)
		out << "Under stress every byte that was read was right, every "
		       "round ended with all unmounted and erofs.ko unloaded, "
		       "and the kernel had nothing to complain of.\n";
	else
		out << "Stress broke something; see the lines FAILED above.\n";
	// A run without a round has shown nothing.
	if (tests.passed == 0 && tests.failed == 0)
		tests.failed = 1;
	return tests;
}

TestCount print_soak(std::ostream &out, const std::string &guest)
{
	const std::vector<Record> records = read_records(guest + "/records");
	const Record end = last_record(records, "soak-end", "soak-end");
	TestCount tests;

	out << "   cycle      s    slab KB  percpu KB    used KB    free KB  "
	       "erofs objects left\n";
	for (const Record &record : records) {
		if (record.at("event") != "soak")
			continue;
		out << std::setw(8) << record.at("cycle").get<std::uint64_t>()
		    << std::setw(7) << std::fixed << std::setprecision(0)
		    << record.at("seconds").get<double>();
		for (const char *what : {"slab", "percpu", "used", "free"})
			out << std::setw(11)
			    << record.at(what).get<std::uint64_t>();
		out << std::setw(20) << record.at("left").get<std::uint64_t>()
		    << '\n';
		tests.passed++;
	}
	if (end.is_null() || complained(guest)) {
		tests.failed++;
		out << "FAILED the guest's kernel complained, or it did not "
		       "come to the end; see "
		    << guest << "/console.log\n";
		return tests;
	}
	for (const std::string failure : end.at("failures")) {
		tests.failed++;
		out << "FAILED " << failure << '\n';
	}
	if (tests.failed == 0) {
		tests.passed++;
		out << "After " << end.at("cycles")
		    << " cycles of mount, read and umount the kernel holds no "
		       "more than after the first reading; "
		    << end.at("files") << " files were read and right.\n";
	}
	return tests;
}

} // namespace erofs_share
