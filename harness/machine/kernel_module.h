// SPDX-License-Identifier: GPL-2.0-only
// Loading and unloading kernel modules.
#pragma once

#include <string>

namespace erofs_share {

/// Loads the uncompressed module in @file with @parameters.
/// Returns the errno of finit_module(2); 0 when it was loaded.
int load_module(const std::string &file, const std::string &parameters = "");

/// Unloads module @name; fails rather than waits while it is in use.
/// Returns the errno of delete_module(2); 0 when it is gone.
int unload_module(const std::string &name);

/// Whether module @name is loaded and was built outside of the kernel's tree,
/// as ours is and no distribution's own erofs is: the kernel itself keeps
/// record of it, as taint "O".
bool module_out_of_tree(const std::string &name);

/// What holds module @name, which is loaded: for a file system, its
/// superblocks, those that nothing shows included. Throws when it is not
/// loaded.
int module_references(const std::string &name);

/// Whether module @name is loaded (not: built in).
bool module_loaded(const std::string &name);

} // namespace erofs_share
