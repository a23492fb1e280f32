// SPDX-License-Identifier: GPL-2.0-only
// The names of the test images, for tests that run for each of them: GoogleTest
// wants the list before there is an image store to ask. scripts/images/test-images
// says how each image is made; a test compares the two lists.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace erofs_share {

/// Images with blocks of one size that hold the tree "facets" in the layouts
/// that mkfs.erofs knows.
struct LayoutFamily {
	unsigned int block_size; ///< in bytes
	std::vector<std::string> names;
};

/// All families. Their images differ in layout and in nothing else.
inline const std::vector<LayoutFamily> &layout_families()
{
	static const std::vector<LayoutFamily> kFamilies = {
		{4096, {"4k-inline",	   "4k-plain",	      "4k-extended",
			"4k-chunk4k",	   "4k-chunk64k",     "4k-chunk1m",
			"4k-indexes",	   "4k-blob",	      "4k-lz4",
			"4k-lz4-extended", "4k-lz4hc",	      "4k-lzma",
			"4k-deflate",	   "4k-zstd",	      "4k-big64k",
			"4k-big1m",	   "4k-ztailpacking", "4k-fragments",
			"4k-allfragments", "4k-dedupe",	      "4k-dedupe-lzma",
			"hidden-noinline", "hidden-lz4"}},
		{2048, {"2k-plain", "2k-chunk", "2k-lz4", "2k-fragments"}},
		{1024, {"1k-inline", "1k-chunk", "1k-lz4"}},
		{512,
		 {"512-plain", "512-inline", "512-chunk", "512-blob", "512-lz4",
		  "512-zstd"}},
	};

	return kFamilies;
}

/// Images with a file of more than 2 GiB, which no test reads as a whole.
inline const std::vector<std::string> &huge_images()
{
	static const std::vector<std::string> kNames = {
		"huge-inline", "huge-chunk", "huge-lz4"};

	return kNames;
}

/// Pairs with a file of 24 or of 64 MB.
inline const std::vector<std::string> &big_images()
{
	static const std::vector<std::string> kNames = {
		"dup-a",      "dup-b",	    "text-a-lz4",
		"text-b-lz4", "many-plain", "many-lz4"};

	return kNames;
}

/// The images of all families.
inline std::vector<std::string> layout_images()
{
	std::vector<std::string> names;

	for (const LayoutFamily &family : layout_families())
		names.insert(names.end(), family.names.begin(),
			     family.names.end());
	return names;
}

/// The names of the family that @name is in; empty if it is in none.
inline std::vector<std::string> family_of(const std::string &name)
{
	for (const LayoutFamily &family : layout_families())
		if (std::find(family.names.begin(), family.names.end(), name) !=
		    family.names.end())
			return family.names;
	return {};
}

/// All images of a few MB.
inline std::vector<std::string> small_images()
{
	std::vector<std::string> names = {
		"enc-plain",	  "enc-noinline",   "enc-chunk",
		"enc-lz4",	  "enc-lz4hc",	    "enc-lzma",
		"enc-deflate",	  "enc-zstd",	    "enc-fragments",
		"no-fingerprint", "hostile-a",	    "hostile-b",
		"hidden-inline",  "hidden-chunk",   "hidden-packed",
		"hidden-512",	  "hidden-512-lz4", "device-node",
		"claimant-a",	  "claimant-b"};
	const std::vector<std::string> layouts = layout_images();

	names.insert(names.end(), layouts.begin(), layouts.end());
	return names;
}

} // namespace erofs_share
