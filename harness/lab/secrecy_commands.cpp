// SPDX-License-Identifier: GPL-2.0-only
// Commands of the laboratory that search a guest's memory for the domain id.
#include "lab/lab_commands.h"

#include "machine/domain_id.h"
#include "secrecy/ram_session.h"
#include "secrecy/secrecy_walk.h"

#include <iostream>

namespace erofs_share {

void add_secrecy_commands(CLI::App &app)
{
	static std::string own;
	static std::string outside;
	auto *make = app.add_subcommand("new-domain-id",
					"print a random domain id, masked");
	make->callback(
		[] { std::cout << DomainId::random().masked_hex() << '\n'; });

	auto *walk = app.add_subcommand(
		"leave-no-trace", "in a guest: do all that a domain id can go "
				  "through, and wait at each point");
	auto *search = app.add_subcommand(
		"ram-search", "search a guest's memory at each point that "
			      "leave-no-trace comes to");
	for (auto *command : {walk, search}) {
		command->add_option("--id", own, "the masked domain id")
			->required();
		command->add_option("--outside-id", outside,
				    "a second one, for what is out of erofs' "
				    "reach")
			->required();
	}
	walk->callback([] {
		leave_no_trace(DomainId::from_masked_hex(own),
			       DomainId::from_masked_hex(outside));
	});

	static RamGuest guest;
	search->add_option("--dir", guest.directory, "run-guest's --dir")
		->required()
		->check(CLI::ExistingDirectory);
	search->add_option("--ram", guest.memory, "run-guest's --ram")
		->required();
	search->add_option("--qmp", guest.qmp, "run-guest's --qmp")->required();
	search->add_option("--go", guest.go, "run-guest's --go")->required();
	search->add_option("--runner", guest.runner, "run-guest's process")
		->required();
	search->callback([] {
		const RamReport report =
			search_at_points(guest, DomainId::from_masked_hex(own),
					 DomainId::from_masked_hex(outside));

		report.print(std::cout);
		print_total(report.passed(), report.failed(), 0);
	});
}

} // namespace erofs_share
