// SPDX-License-Identifier: GPL-2.0-only
// gcov's counters as records, and back.
#include "results/coverage.h"

#include "base/fd.h"
#include "base/hex.h"
#include "results/report.h"

#include <filesystem>
#include <stdexcept>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

/// Where the kernel shows the counters, in a tree of its own with the paths of
/// the object files. Source: Documentation/dev-tools/gcov.rst.
constexpr const char *kCounters = "/sys/kernel/debug/gcov";

std::string from_hex(const std::string &hex)
{
	std::string bytes;

	if (hex.size() % 2 != 0)
		throw std::runtime_error("a coverage record is cut short");
	bytes.reserve(hex.size() / 2);
	for (std::size_t i = 0; i < hex.size(); i += 2)
		bytes += static_cast<char>(
			std::stoi(hex.substr(i, 2), nullptr, 16));
	return bytes;
}

} // namespace

void send_coverage(const RecordWriter &records)
{
	if (!fs::is_directory(kCounters))
		return;
	for (const auto &entry : fs::recursive_directory_iterator(kCounters)) {
		if (entry.path().extension() != ".gcda")
			continue;
		const std::string counters = read_text(entry.path().string());

		records.send({{"event", "coverage"},
			      {"file", entry.path().filename().string()},
			      {"counters",
			       hex_of(std::as_bytes(std::span(counters)))}});
	}
}

std::size_t write_coverage(const std::string &run, const std::string &out)
{
	std::size_t guests = 0;

	for (const std::string &guest : guest_directories(run)) {
		const fs::path dir = fs::path(out) / fs::path(guest).filename();
		bool sent = false;

		for (const Record &record : read_records(guest + "/records")) {
			if (record.at("event") != "coverage")
				continue;
			const fs::path name =
				fs::path(record.at("file").get<std::string>())
					.filename();

			fs::create_directories(dir);
			write_file(dir / name, from_hex(record.at("counters")));
			sent = true;
		}
		guests += sent ? 1 : 0;
	}
	return guests;
}

} // namespace erofs_share
