// SPDX-License-Identifier: GPL-2.0-only
// Stopping, searching and going on.
#include "secrecy/ram_session.h"

#include "base/error.h"
#include "secrecy/qmp.h"
#include "secrecy/ram_search.h"
#include "secrecy/secrecy_walk.h"
#include "wire/record_follower.h"

#include <fcntl.h>
#include <optional>

namespace erofs_share {

namespace {

/// What needs the guest to be there: made at its first point.
struct Connection {
	Qmp qmp;
	RamFile memory;
	UniqueFd go;

	explicit Connection(const RamGuest &guest)
	    : qmp(guest.qmp), memory(guest.memory),
	      // Both ways, so that opening it does not wait for QEMU.
	      go(open_file(guest.go + ".in", O_RDWR))
	{
	}
};

} // namespace

RamReport search_at_points(const RamGuest &guest, const DomainId &own,
			   const DomainId &outside)
{
	const RamSearch own_search(own);
	const RamSearch outside_search(outside);
	RecordFollower records(guest.directory, guest.runner);
	std::optional<Connection> connection;
	RamReport report;

	while (const std::optional<Record> record = records.next()) {
		const std::string event = record->at("event");

		if (event == "hello")
			report.set_kernel(record->at("kernel"));
		if (event == "command")
			report.set_status(record->at("status"));
		if (event != "point")
			continue;
		if (!connection) {
			connection.emplace(guest);
			report.set_memory(connection->memory.size());
		}
		const bool is_own = record->at("id") == kOwnId;

		connection->qmp.stop();
		report.add(*record,
			   connection->memory.search(is_own ? own_search
							    : outside_search));
		connection->qmp.resume();
		write_all(connection->go.get(),
			  std::as_bytes(std::span("\n", 1)), guest.go);
	}
	return report;
}

} // namespace erofs_share
