// SPDX-License-Identifier: GPL-2.0-only
// How much page cache images would share, before they are mounted: whole files
// of equal contents, as the kernel shares them.
#pragma once

#include "tool/image_contents.h"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace erofs_share {

/// A file that would take page cache.
struct SourceFile {
	std::string path; ///< below the root of its image
	std::uint64_t size = 0;
	/// The fingerprint that it has or would have; empty if it cannot share.
	std::string fingerprint;
};

/// Files of an image that the kernel leaves unshared although the image
/// declares fingerprints, by the reason.
struct UnsharedFiles {
	std::uint64_t missing = 0;   ///< without a fingerprint
	std::uint64_t ambiguous = 0; ///< with more than one
	std::uint64_t unusable = 0;  ///< with one that cannot be read or used

	[[nodiscard]] std::uint64_t all() const
	{
		return missing + ambiguous + unusable;
	}
};

/// What a source is.
enum class SourceKind : std::uint8_t {
	kImage,
	kDirectory,
	kArchive, ///< a tar
	kOci,	  ///< an image in an OCI layout
};

/// A layer of an image in an OCI layout.
struct LayerShare {
	std::string digest;
	std::uint64_t size = 0; ///< as it lies there, compressed or not
};

/// What an image is, or would be made of.
struct Source {
	std::string name;
	SourceKind kind = SourceKind::kImage;
	std::vector<LayerShare> layers; ///< the lowest first
	std::vector<SourceFile> files;
	/// Whether at least one file has a usable fingerprint of the image's
	/// own: mounted as it is, it shares. Without, it would have to be made
	/// anew.
	bool has_fingerprints = false;
	/// Whether the image says so, which some do and no file has one.
	bool declares_fingerprints = false;
	/// Whether it is an image with fragments, which not every program
	/// reads right.
	bool fragments = false;
	UnsharedFiles unshared = {};
};

/// Reads @path, an image or the root of a tree, hashing what declares no
/// fingerprints. Empty files are left out. Throws std::system_error that names
/// the file.
Source read_source(const std::string &path,
		   const ContentsOptions &options = {});

/// What one source is worth to the others.
struct SourceShare {
	std::string name;
	SourceKind kind = SourceKind::kImage;
	std::vector<LayerShare> layers;
	std::uint64_t files = 0;
	std::uint64_t bytes = 0;
	std::uint64_t shared_bytes = 0; ///< of files that another one has, too
	bool has_fingerprints = false;
	bool declares_fingerprints = false;
	bool fragments = false;
	UnsharedFiles unshared = {};
};

/// What two sources have in common.
struct PairShare {
	std::size_t first = 0; ///< index of a source
	std::size_t second = 0;
	std::uint64_t shared_bytes = 0;	      ///< each content once
	std::uint64_t least_bytes = 0;	      ///< of the smaller source
	std::uint64_t shared_layers = 0;      ///< which both are made of
	std::uint64_t shared_layer_bytes = 0; ///< of these, as they lie there
};

/// A path that two sources have with contents of about the same size that
/// differ.
struct Obstacle {
	std::string path;
	std::size_t first = 0; ///< index of a source
	std::size_t second = 0;
	std::uint64_t first_size = 0; ///< in bytes
	std::uint64_t second_size = 0;

	/// What could be shared at most if the contents were equal.
	[[nodiscard]] std::uint64_t bytes() const
	{
		return first_size < second_size ? first_size : second_size;
	}
};

/// The whole of it. Bytes are whole pages of 4 KiB, which the cache has.
struct Estimate {
	std::vector<SourceShare> sources;
	std::vector<PairShare> pairs;
	std::vector<Obstacle> obstacles; ///< the biggest, by bytes
	std::uint64_t bytes = 0;	 ///< page cache without sharing
	std::uint64_t shared_bytes = 0;	 ///< page cache with sharing

	[[nodiscard]] std::uint64_t saved_bytes() const
	{
		return bytes - shared_bytes;
	}
};

/// What @sources share when all of their files are read; at most @top
/// obstacles.
Estimate estimate_sharing(const std::vector<Source> &sources, std::size_t top);

/// Tables for people.
void print_estimate(const Estimate &estimate, std::ostream &out);

/// The same in bytes; erofs-share(8) documents the members.
nlohmann::json to_json(const Estimate &estimate);

} // namespace erofs_share
