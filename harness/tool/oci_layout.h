// SPDX-License-Identifier: GPL-2.0-only
// A directory in the layout of the Open Container Initiative: which layers an
// image of it has. Source: OCI image format specification 1.1.
#pragma once

#include <string>
#include <vector>

namespace erofs_share {

/// A layer of an image.
struct OciLayer {
	std::string digest; ///< "sha256:" and 64 digits
	std::string digits; ///< these alone
	std::string path;   ///< of the archive
};

/// A name of the form DIRECTORY:TAG.
struct OciName {
	std::string directory;
	std::string tag;
};

/// Whether @directory is such a layout.
bool is_oci_layout(const std::string &directory);

/// The parts of @name; both empty where its part before the last colon is no
/// such layout.
OciName parse_oci_name(const std::string &name);

/// The layers of the image @name, the lowest first. Manifests have the digests
/// that they are named by; layers are compared when they are read. Of an image
/// for several machines it is that for this one. Throws std::system_error that
/// names what is not there or not as it should be.
std::vector<OciLayer> oci_layers(const OciName &name);

/// The tags of the images in @directory. Throws as above.
std::vector<std::string> oci_tags(const std::string &directory);

} // namespace erofs_share
