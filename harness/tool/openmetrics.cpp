// SPDX-License-Identifier: GPL-2.0-only
// What mounts share as OpenMetrics, of the part of it that Prometheus' older
// text format has as well: gauges, and labels with three escapes.
#include "tool/status_report.h"

#include "base/quote.h"

#include <array>
#include <string_view>
#include <utility>

namespace erofs_share {

namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

std::string label_value(const std::string &value)
{
	std::string text;

	for (const char byte : utf8_text(value))
		switch (byte) {
		case '\\':
			text += "\\\\";
			break;
		case '"':
			text += "\\\"";
			break;
		case '\n':
			text += "\\n";
			break;
		default:
			text += byte;
		}
	return text;
}

/// Writes metrics one after the other.
class Writer {
      public:
	/// Begins the metric erofs_share_@name.
	void begin(std::string_view name, std::string_view help)
	{
		name_ = "erofs_share_" + std::string(name);
		text_ += "# HELP " + name_ + " " + std::string(help) + "\n";
		text_ += "# TYPE " + name_ + " gauge\n";
	}
	void add(const Labels &labels, std::uint64_t value)
	{
		std::string list;

		for (const auto &[label, text] : labels)
			list += (list.empty() ? "" : ",") + std::string(label) +
				"=\"" + label_value(text) + "\"";
		text_ += name_ + (list.empty() ? "" : "{" + list + "}") + " " +
			 std::to_string(value) + "\n";
	}
	std::string finish()
	{
		return std::move(text_) + "# EOF\n";
	}

      private:
	std::string name_;
	std::string text_;
};

/// A metric of a mount or domain.
template <typename Of> struct Metric {
	std::string_view name;
	std::uint64_t Of::*value;
	std::string_view help;
};

constexpr std::array kOfMounts = {
	Metric<MountStatus>{"mount_files", &MountStatus::files,
			    "Files of the mount that are attached to a shared "
			    "inode."},
	Metric<MountStatus>{"mount_resident_bytes",
			    &MountStatus::resident_bytes,
			    "Bytes of these files in the page cache."},
	Metric<MountStatus>{"mount_foreign_bytes", &MountStatus::foreign_bytes,
			    "Bytes of these that another image was read for."},
};

constexpr std::array kOfDomains = {
	Metric<DomainStatus>{"domain_mounts", &DomainStatus::mounts,
			     "Mounts of the domain."},
	Metric<DomainStatus>{"domain_inodes", &DomainStatus::inodes,
			     "Shared inodes of the domain."},
	Metric<DomainStatus>{"domain_resident_bytes",
			     &DomainStatus::resident_bytes,
			     "Bytes of these in the page cache."},
	Metric<DomainStatus>{"domain_saved_bytes", &DomainStatus::saved_bytes,
			     "Bytes that would be in the page cache in "
			     "addition without sharing."},
};

} // namespace

std::string to_openmetrics(const Status &status)
{
	Writer writer;

	writer.begin("module_info",
		     "The module that shares; 0 when it is not loaded.");
	writer.add({{"version", status.module.version}},
		   status.module.kind == ErofsKind::kOurs ? 1 : 0);
	writer.begin("unshared_mounts",
		     "EROFS mounts without the option inode_share.");
	writer.add({}, status.unshared);
	for (const auto &metric : kOfMounts) {
		writer.begin(metric.name, metric.help);
		for (const MountStatus &mount : status.mounts)
			writer.add(
				{{"device", mount.device},
				 {"domain", std::to_string(mount.domain)},
				 {"source", mount.source},
				 {"target", mount.targets.empty()
						    ? ""
						    : mount.targets.front()}},
				mount.*metric.value);
	}
	for (const auto &metric : kOfDomains) {
		writer.begin(metric.name, metric.help);
		for (const DomainStatus &domain : status.domains)
			writer.add({{"domain", std::to_string(domain.number)}},
				   domain.*metric.value);
	}
	return writer.finish();
}

} // namespace erofs_share
