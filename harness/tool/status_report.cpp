// SPDX-License-Identifier: GPL-2.0-only
// Tables and JSON of what mounts share.
#include "tool/status_report.h"

#include "base/quote.h"
#include "base/text_table.h"

#include <algorithm>
#include <ostream>

namespace erofs_share {

namespace {

const char *kind_of(const ErofsModule &module)
{
	switch (module.kind) {
	case ErofsKind::kOurs:
		return "erofs-inode-share";
	case ErofsKind::kOther:
		return "kernel";
	case ErofsKind::kNone:
		break;
	}
	return "none";
}

std::string mounts(std::uint64_t count)
{
	return std::to_string(count) +
	       (count == 1 ? " EROFS mount" : " EROFS mounts");
}

/// Why there is nothing to print.
void print_none(const Status &status, std::ostream &out)
{
	const std::string advice = advice_on(status.module);

	if (status.uncounted > 0) {
		out << mounts(status.uncounted)
		    << " with inode_share, but what they share is not "
		       "counted: "
		    << advice << ".\n";
		return;
	}
	out << "No mount shares page cache"
	    << (advice.empty() ? " (mount option inode_share)" : ": " + advice)
	    << ".\n";
	if (status.unshared > 0)
		out << mounts(status.unshared) << " without the option.\n";
}

/// Says that @all rows were not printed but @shown.
void print_rest(std::size_t all, std::size_t shown, const char *what,
		std::ostream &out)
{
	if (all > shown)
		out << "and " << all - shown << " more " << what << '\n';
}

} // namespace

void print_status(const Status &status, std::ostream &out,
		  const StatusLimits &limits)
{
	const std::size_t shown = std::min(limits.mounts, status.mounts.size());
	const std::size_t shown_domains =
		std::min(limits.domains, status.domains.size());

	if (status.mounts.empty()) {
		print_none(status, out);
		return;
	}
	TextTable mounts({{"Image", Align::kLeft},
			  {"Domain", Align::kRight},
			  {"Files", Align::kRight},
			  {"Resident", Align::kRight},
			  {"Foreign", Align::kRight},
			  {"Mounted on", Align::kLeft}});
	for (std::size_t i = 0; i < shown; i++) {
		const MountStatus &mount = status.mounts[i];

		mounts.add({quote_name(mount.source.empty() ? mount.device
							    : mount.source),
			    std::to_string(mount.domain),
			    std::to_string(mount.files),
			    human_bytes(mount.resident_bytes),
			    human_bytes(mount.foreign_bytes),
			    mount.targets.empty()
				    ? "(elsewhere)"
				    : quote_name(mount.targets.front())});
	}
	mounts.print(out);
	print_rest(status.mounts.size(), shown, "mounts", out);

	TextTable domains({{"Domain", Align::kRight},
			   {"Mounts", Align::kRight},
			   {"Inodes", Align::kRight},
			   {"Resident", Align::kRight},
			   {"Saved", Align::kRight}});
	for (std::size_t i = 0; i < shown_domains; i++) {
		const DomainStatus &domain = status.domains[i];

		domains.add({std::to_string(domain.number),
			     std::to_string(domain.mounts),
			     std::to_string(domain.inodes),
			     human_bytes(domain.resident_bytes),
			     human_bytes(domain.saved_bytes)});
	}
	out << '\n';
	domains.print(out);
	print_rest(status.domains.size(), shown_domains, "domains", out);
	out << "\nSharing saves " << human_bytes(status.saved_bytes())
	    << " now.\n";
}

nlohmann::json to_json(const Status &status)
{
	nlohmann::json mounts = nlohmann::json::array();
	nlohmann::json domains = nlohmann::json::array();

	for (const MountStatus &mount : status.mounts)
		mounts.push_back({{"device", mount.device},
				  {"source", mount.source},
				  {"targets", mount.targets},
				  {"domain", mount.domain},
				  {"files", mount.files},
				  {"resident_bytes", mount.resident_bytes},
				  {"foreign_bytes", mount.foreign_bytes}});
	for (const DomainStatus &domain : status.domains)
		domains.push_back({{"domain", domain.number},
				   {"mounts", domain.mounts},
				   {"inodes", domain.inodes},
				   {"resident_bytes", domain.resident_bytes},
				   {"saved_bytes", domain.saved_bytes}});
	return {{"version", 1},
		{"module",
		 {{"kind", kind_of(status.module)},
		  {"version", status.module.version},
		  {"installed", status.module.installed}}},
		{"mounts", mounts},
		{"domains", domains},
		{"unshared_mounts", status.unshared},
		{"uncounted_mounts", status.uncounted},
		{"saved_bytes", status.saved_bytes()}};
}

} // namespace erofs_share
