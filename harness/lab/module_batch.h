// SPDX-License-Identifier: GPL-2.0-only
// One module of erofs after another in one guest, each with tests of its own:
// how the modules that break a promise on purpose are tried without a boot for
// each.
#pragma once

#include <string>
#include <vector>

namespace erofs_share {

/// A module and what is run with it.
struct ModuleTrial {
	std::string name;    ///< /modules/batch/NAME.ko
	std::string pattern; ///< the tests, as GoogleTest's filter

	/// The trial that @text, "NAME=PATTERN", describes. Throws when it is
	/// not of that form.
	static ModuleTrial parse(const std::string &text);
};

/// Runs @trials in turn, in a guest: puts each module in the place of the
/// loaded erofs and runs @program, the tests, with its pattern and @arguments.
/// Before and after each it sends the records "module" and "module-end", and
/// before it writes "[ MODULE ] NAME" to the console, so that the host can tell
/// what belongs to which. A module that cannot be loaded runs no test.
///
/// Throws when erofs cannot be unloaded: a module has left something mounted.
/// The host then goes on in a new guest, as it does when the tests have ended
/// this one, because the kernel complained or died.
void run_module_batch(const std::vector<ModuleTrial> &trials,
		      const std::string &program,
		      const std::vector<std::string> &arguments);

/// Parts what a guest with a batch of modules said, on the host: for each
/// module that was begun, "records" and "console.log" of @guest go to the next
/// @out/NAME/guest-N, as if the guest had run that module alone. Returns the
/// names, in order. Throws when @guest has no readable records.
std::vector<std::string> part_module_batch(const std::string &guest,
					   const std::string &out);

} // namespace erofs_share
