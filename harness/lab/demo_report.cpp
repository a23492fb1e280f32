// SPDX-License-Identifier: GPL-2.0-only
// The demonstration's table.
#include "lab/demo_report.h"

#include "base/fd.h"
#include "wire/record.h"

#include <cmath>
#include <iomanip>
#include <stdexcept>

namespace erofs_share {

namespace {

constexpr double kTolerance = 2; // percentage points
constexpr int kLabelWidth = 40;

double percent_less(double whole, double part)
{
	return whole > 0 ? 100 * (whole - part) / whole : 0;
}

Record demo_record(const std::string &path)
{
	for (const Record &record : read_records(path))
		if (record.at("event") == "demo")
			return record;
	throw std::runtime_error(path + ": the guest measured nothing");
}

void row(std::ostream &out, const std::string &label, double value,
	 const std::string &unit, int digits)
{
	out << "  " << std::left << std::setw(kLabelWidth) << label
	    << std::right << std::setw(10) << std::fixed
	    << std::setprecision(digits) << value << ' ' << unit << '\n';
}

} // namespace

bool print_demo(std::ostream &out, const std::string &records,
		const std::string &limit_file)
{
	constexpr double kMegabyte = 1e6;
	const Record demo = demo_record(records);
	const Record limit = Record::parse(read_text(limit_file));
	const double plain = demo.at("cached_plain");
	const double shared = demo.at("cached_shared");
	const double saved = percent_less(plain, shared);
	const double best = percent_less(limit.at("page_bytes"),
					 limit.at("unique_page_bytes"));
	const std::string package = limit.at("package");
	bool good = std::abs(saved - best) <= kTolerance;

	out << '\n'
	    << package << ' ' << limit.at("old_version").get<std::string>()
	    << " and " << limit.at("new_version").get<std::string>()
	    << ", every file of both images read:\n\n";
	row(out, "files", demo.at("files"), "", 0);
	row(out, "bytes", demo.at("bytes").get<double>() / kMegabyte, "MB", 1);
	row(out, "page cache without sharing", plain / kMegabyte, "MB", 1);
	row(out, "page cache with inode_share", shared / kMegabyte, "MB", 1);
	row(out, "saved", saved, "%", 1);
	row(out, "the most that sharing whole files can save", best, "%", 1);
	out << "\n/proc/mounts:\n";
	for (const std::string line : demo.at("mounts")) {
		out << "  " << line << '\n';
		good = good && line.find("inode_share") != std::string::npos &&
		       line.find("domain") == std::string::npos;
	}
	good = good && demo.at("mounts").size() == 2;
	if (demo.at("files") != limit.at("files") ||
	    demo.at("bytes") != limit.at("bytes")) {
		good = false;
		out << "\nThe guest did not read what the images hold: "
		    << limit.at("files") << " files, " << limit.at("bytes")
		    << " bytes.\n";
	}
	out << std::setprecision(0) << '\n';
	if (good)
		out << "With inode_share the two images take " << saved
		    << " % less page cache, of " << best
		    << " % that sharing whole files can save, and the mount "
		       "table does not show the domain.\n";
	else
		out << "Sharing does not do what it promises: it should save "
		    << best << " % and show inode_share but no domain.\n";
	return good;
}

} // namespace erofs_share
