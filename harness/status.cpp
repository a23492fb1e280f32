// SPDX-License-Identifier: GPL-2.0-only
// Reading and showing what mounts share.
#include "status.h"

#include "error.h"
#include "fd.h"
#include "text_table.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

/// The mounts of one device number.
struct Mounted {
	std::string source;
	std::vector<std::string> targets;
};

/// mountinfo's text, which has blanks and backslashes as \040.
std::string unescape(const std::string &text)
{
	std::string plain;

	for (std::size_t i = 0; i < text.size(); i++) {
		if (text[i] != '\\' || i + 3 >= text.size()) {
			plain += text[i];
			continue;
		}
		plain += static_cast<char>(
			std::stoi(text.substr(i + 1, 3), nullptr, 8));
		i += 3;
	}
	return plain;
}

/// The erofs mounts of @mountinfo by "MAJOR:MINOR".
std::map<std::string, Mounted> mounted_by_device(const std::string &mountinfo)
{
	std::istringstream lines(read_text(mountinfo));
	std::map<std::string, Mounted> mounts;

	for (std::string line; std::getline(lines, line);) {
		// id parent dev root target options [optional...] - type source
		std::istringstream fields(line);
		std::string skip;
		std::string device;
		std::string target;
		std::string type;
		std::string source;

		fields >> skip >> skip >> device >> skip >> target;
		while (fields >> skip && skip != "-")
			;
		fields >> type >> source;
		if (type != "erofs")
			continue;
		mounts[device].source = unescape(source);
		mounts[device].targets.push_back(unescape(target));
	}
	return mounts;
}

/// The text of one counter; nothing if its mount is gone.
std::optional<std::string> counter_text(const fs::path &file)
{
	try {
		std::string text = read_text(file.string());

		text.erase(std::min(text.find('\n'), text.size()));
		return text;
	} catch (const std::system_error &error) {
		const int code = error.code().value();

		if (code == ENOENT || code == ENODEV)
			return std::nullopt;
		if (code == EACCES || code == EPERM)
			throw_error(code, file.string() +
						  ": only root with "
						  "CAP_SYS_ADMIN may read what "
						  "mounts share; try sudo");
		throw;
	}
}

/// Reads the counters of one mount; false if it is gone.
class Counters {
      public:
	explicit Counters(fs::path directory) : directory_(std::move(directory))
	{
	}

	bool read(const char *name, std::uint64_t &value) const
	{
		const auto text = counter_text(directory_ / name);

		if (!text)
			return false;
		value = std::stoull(*text);
		return true;
	}

	bool read(MountStatus &mount) const
	{
		return read("domain", mount.domain) &&
		       read("files", mount.files) &&
		       read("resident_bytes", mount.resident_bytes) &&
		       read("foreign_bytes", mount.foreign_bytes);
	}

	bool read(DomainStatus &domain) const
	{
		return read("domain_inodes", domain.inodes) &&
		       read("domain_resident_bytes", domain.resident_bytes) &&
		       read("domain_saved_bytes", domain.saved_bytes);
	}

      private:
	fs::path directory_;
};

/// Directories below @sysfs that have counters.
std::vector<fs::path> mounts_with_counters(const std::string &sysfs)
{
	std::vector<fs::path> found;
	std::error_code error;

	for (const auto &entry : fs::directory_iterator(sysfs, error))
		if (fs::is_directory(entry.path() / "share", error))
			found.push_back(entry.path());
	std::sort(found.begin(), found.end());
	return found;
}

} // namespace

Status read_status(const std::string &sysfs, const std::string &mountinfo)
{
	std::map<std::uint64_t, DomainStatus> domains;
	Status status;

	const auto mounted = mounted_by_device(mountinfo);
	for (const fs::path &path : mounts_with_counters(sysfs)) {
		const Counters counters(path / "share");
		const auto device = counter_text(path / "share" / "dev");
		MountStatus mount;

		if (!device || !counters.read(mount))
			continue;
		DomainStatus &domain = domains[mount.domain];
		if (domain.number == 0 && !counters.read(domain)) {
			domains.erase(mount.domain);
			continue;
		}
		domain.number = mount.domain;
		domain.mounts++;
		mount.device = path.filename().string();
		if (const auto at = mounted.find(*device);
		    at != mounted.end()) {
			mount.source = at->second.source;
			mount.targets = at->second.targets;
		}
		status.mounts.push_back(std::move(mount));
	}
	std::stable_sort(status.mounts.begin(), status.mounts.end(),
			 [](const MountStatus &a, const MountStatus &b) {
				 return a.domain < b.domain;
			 });
	for (const auto &[number, domain] : domains)
		status.domains.push_back(domain);
	return status;
}

void print_status(const Status &status, std::ostream &out)
{
	if (status.mounts.empty()) {
		out << "No mount shares page cache (mount option "
		       "inode_share).\n";
		return;
	}

	TextTable mounts({{"Image", Align::kLeft},
			  {"Domain", Align::kRight},
			  {"Files", Align::kRight},
			  {"Resident", Align::kRight},
			  {"Foreign", Align::kRight},
			  {"Mounted on", Align::kLeft}});
	for (const MountStatus &mount : status.mounts)
		mounts.add({mount.source.empty() ? mount.device : mount.source,
			    std::to_string(mount.domain),
			    std::to_string(mount.files),
			    human_bytes(mount.resident_bytes),
			    human_bytes(mount.foreign_bytes),
			    mount.targets.empty() ? "(elsewhere)"
						  : mount.targets.front()});
	mounts.print(out);

	TextTable domains({{"Domain", Align::kRight},
			   {"Mounts", Align::kRight},
			   {"Inodes", Align::kRight},
			   {"Resident", Align::kRight},
			   {"Saved", Align::kRight}});
	std::uint64_t saved = 0;
	for (const DomainStatus &domain : status.domains) {
		domains.add({std::to_string(domain.number),
			     std::to_string(domain.mounts),
			     std::to_string(domain.inodes),
			     human_bytes(domain.resident_bytes),
			     human_bytes(domain.saved_bytes)});
		saved += domain.saved_bytes;
	}
	out << '\n';
	domains.print(out);
	out << "\nSharing saves " << human_bytes(saved) << " now.\n";
}

nlohmann::json to_json(const Status &status)
{
	nlohmann::json mounts = nlohmann::json::array();
	nlohmann::json domains = nlohmann::json::array();
	std::uint64_t saved = 0;

	for (const MountStatus &mount : status.mounts)
		mounts.push_back({{"device", mount.device},
				  {"source", mount.source},
				  {"targets", mount.targets},
				  {"domain", mount.domain},
				  {"files", mount.files},
				  {"resident_bytes", mount.resident_bytes},
				  {"foreign_bytes", mount.foreign_bytes}});
	for (const DomainStatus &domain : status.domains) {
		domains.push_back({{"domain", domain.number},
				   {"mounts", domain.mounts},
				   {"inodes", domain.inodes},
				   {"resident_bytes", domain.resident_bytes},
				   {"saved_bytes", domain.saved_bytes}});
		saved += domain.saved_bytes;
	}
	return {{"version", 1},
		{"mounts", mounts},
		{"domains", domains},
		{"saved_bytes", saved}};
}

} // namespace erofs_share
