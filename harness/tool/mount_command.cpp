// SPDX-License-Identifier: GPL-2.0-only
// The commands mount and umount of erofs-share.
#include "tool/commands.h"

#include "base/error.h"
#include "tool/command_output.h"

#include <string>
#include <unistd.h>
#include <vector>

namespace erofs_share {

namespace {

/// Becomes the program of @words.
[[noreturn]] void become(const std::vector<std::string> &words)
{
	std::vector<char *> arguments;

	arguments.reserve(words.size() + 1);
	for (const std::string &word : words)
		arguments.push_back(const_cast<char *>(word.c_str()));
	arguments.push_back(nullptr);
	execvp(arguments[0], arguments.data());
	throw_errno("run " + words[0]);
}

} // namespace

void add_mount_commands(CLI::App &app)
{
	auto *mount = app.add_subcommand(
		"mount", "mount an image in a domain: [-o OPTIONS] IMAGE DIR");
	auto *umount = app.add_subcommand("umount", "unmount it: DIR");

	for (auto *command : {mount, umount})
		command->prefix_command();
	mount->footer("Runs mount -t erofs-share; see mount.erofs-share(8).");
	umount->footer("Runs umount(8).");
	mount->callback([mount] {
		or_fail([mount] {
			std::vector<std::string> words = {"mount", "-t",
							  "erofs-share"};

			for (const std::string &word : mount->remaining())
				words.push_back(word);
			become(words);
		});
	});
	umount->callback([umount] {
		or_fail([umount] {
			std::vector<std::string> words = {"umount"};

			for (const std::string &word : umount->remaining())
				words.push_back(word);
			become(words);
		});
	});
}

} // namespace erofs_share
