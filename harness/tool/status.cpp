// SPDX-License-Identifier: GPL-2.0-only
// Reading what mounts share.
#include "tool/status.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/quote.h"
#include "os/mount_table.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

/// The mounts of one device number.
struct Mounted {
	std::string source;
	std::vector<std::string> targets;
	bool shares = false;
};

using MountedByDevice = std::map<std::string, Mounted>;

/// The erofs mounts of @mountinfo by "MAJOR:MINOR".
MountedByDevice mounted_by_device(const std::string &mountinfo)
{
	MountedByDevice mounts;

	for (MountLine &line : read_mount_table(mountinfo)) {
		if (line.type != "erofs")
			continue;
		Mounted &mounted = mounts[line.device];
		mounted.shares = line.has_option("inode_share");
		mounted.source = std::move(line.source);
		mounted.targets.push_back(std::move(line.target));
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
		const fs::path file = directory_ / name;
		const auto text = counter_text(file);

		if (!text)
			return false;
		const char *const end = text->data() + text->size();
		const auto [rest, error] =
			std::from_chars(text->data(), end, value);
		if (error != std::errc() || rest != end)
			throw_error(EINVAL, file.string() +
						    ": expected a number, it "
						    "has " +
						    shell_word(*text));
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
std::vector<fs::path> mounts_with_counters(const fs::path &sysfs)
{
	std::vector<fs::path> found;
	std::error_code error;

	for (fs::directory_iterator entry(sysfs, error), end; entry != end;
	     entry.increment(error))
		if (fs::is_directory(entry->path() / "share", error))
			found.push_back(entry->path());
	return found;
}

/// Sorts @status by what matters.
void sort_by_savings(Status &status)
{
	std::map<std::uint64_t, std::uint64_t> saved;

	for (const DomainStatus &domain : status.domains)
		saved[domain.number] = domain.saved_bytes;
	const auto rank = [&](const MountStatus &mount) {
		// Most first; what is equal by domain, then by name.
		return std::tuple<std::uint64_t, std::uint64_t, std::uint64_t,
				  std::uint64_t, const std::string &,
				  const std::string &>(
			~saved[mount.domain], mount.domain,
			~mount.foreign_bytes, ~mount.resident_bytes,
			mount.source, mount.device);
	};
	std::sort(status.mounts.begin(), status.mounts.end(),
		  [&](const MountStatus &a, const MountStatus &b) {
			  return rank(a) < rank(b);
		  });
	std::sort(status.domains.begin(), status.domains.end(),
		  [](const DomainStatus &a, const DomainStatus &b) {
			  return std::tuple(~a.saved_bytes, a.number) <
				 std::tuple(~b.saved_bytes, b.number);
		  });
}

/// Counts the mounts of @mounted that are not among the devices @counted.
void count_others(const MountedByDevice &mounted,
		  const std::set<std::string> &counted, Status &status)
{
	for (const auto &[device, mount] : mounted) {
		if (counted.contains(device))
			continue;
		(mount.shares ? status.uncounted : status.unshared)++;
	}
}

} // namespace

std::uint64_t Status::saved_bytes() const
{
	return std::accumulate(domains.begin(), domains.end(), std::uint64_t{0},
			       [](std::uint64_t sum, const DomainStatus &one) {
				       return sum + one.saved_bytes;
			       });
}

Status read_status(const std::string &root)
{
	std::map<std::uint64_t, DomainStatus> domains;
	std::set<std::string> counted;
	Status status;

	status.module = find_erofs_module(root);
	const auto mounted = mounted_by_device(root + "/proc/self/mountinfo");
	for (const fs::path &path :
	     mounts_with_counters(root + "/sys/fs/erofs")) {
		const Counters counters(path / "share");
		const auto device = counter_text(path / "share" / "dev");
		MountStatus mount;

		if (!device || !counters.read(mount))
			continue;
		counted.insert(*device);
		DomainStatus &domain = domains[mount.domain];
		if (domain.number == 0 && !counters.read(domain)) {
			domains.erase(mount.domain);
			continue;
		}
		domain.number = mount.domain;
		domain.mounts++;
		mount.device = path.filename().string();
		mount.number = *device;
		if (const auto at = mounted.find(*device);
		    at != mounted.end()) {
			mount.source = at->second.source;
			mount.targets = at->second.targets;
		}
		status.mounts.push_back(std::move(mount));
	}
	for (const auto &[number, domain] : domains)
		status.domains.push_back(domain);
	count_others(mounted, counted, status);
	sort_by_savings(status);
	return status;
}

std::uint64_t attached_files(const std::string &device, const std::string &root)
{
	const fs::path share =
		fs::path(root + "/sys/fs/erofs") / device / "share";
	std::uint64_t files = 0;

	if (!Counters(share).read("files", files))
		throw_error(ENODEV, share.string() + ": the mount is gone");
	return files;
}

} // namespace erofs_share
