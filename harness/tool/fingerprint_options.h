// SPDX-License-Identifier: GPL-2.0-only
// How mkfs.erofs is told to make an image of the tree of another one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// What an image is like that the new one should be like, too.
struct ImageForm {
	std::uint64_t block_size = 0;
	std::uint64_t chunk = 0; ///< bytes of its smallest chunk; 0 if none
	bool compressed = false; ///< at least one file
	std::string label;
};

/// The options for mkfs.erofs: the caller's own, @own, and what they leave open
/// as @form has it. Throws std::system_error for one that is a name, which
/// mkfs.erofs would take for an image.
std::vector<std::string> mkfs_options(const ImageForm &form,
				      const std::vector<std::string> &own);

/// The name of the attribute that mkfs.erofs gives fingerprints with @options,
/// as ErofsAttribute has it.
std::string digest_name(const std::vector<std::string> &options);

/// Whether @options compress.
bool compresses(const std::vector<std::string> &options);

/// The name that hidden fingerprints have.
inline constexpr const char *kHiddenFingerprint = "erofs.fingerprint.v1";

} // namespace erofs_share
