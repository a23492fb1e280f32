// SPDX-License-Identifier: GPL-2.0-only
// How much page cache images would share.
#include "tool/estimate.h"

#include "base/error.h"
#include "base/quote.h"
#include "base/text_table.h"
#include "erofs/erofs_reader.h"
#include "erofs/erofs_utils.h"
#include "tool/directory_source.h"
#include "tool/image_contents.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <ostream>
#include <set>
#include <utility>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

/// What the kernel compares.
using Key = std::pair<std::string, std::uint64_t>;

std::uint64_t page_bytes(std::uint64_t size)
{
	constexpr std::uint64_t kPage = 4096;

	return (size + kPage - 1) / kPage * kPage;
}

Key key_of(const SourceFile &file)
{
	return {file.fingerprint, file.size};
}

/// Hashes @read, of @image, to where their names are in @files.
void hash_contents_of(const ErofsImage &image,
		      const std::vector<ErofsFile> &read,
		      const ContentsOptions &options,
		      std::vector<SourceFile> &files)
{
	ImageDigests found = hash_image(image, {}, read, options);

	for (std::size_t i = 0; i < files.size(); i++) {
		if (!found.unreadable[i].empty())
			throw_error(EIO, quote_name(image.path()) +
						 ": cannot be read: " +
						 quote_name(files[i].path) +
						 " (" + found.unreadable[i] +
						 ")");
		files[i].fingerprint = std::move(found.digests[i]);
	}
}

void count(FingerprintState state, UnsharedFiles &unshared)
{
	switch (state) {
	case FingerprintState::kOne:
		break;
	case FingerprintState::kNone:
		unshared.missing++;
		break;
	case FingerprintState::kAmbiguous:
		unshared.ambiguous++;
		break;
	case FingerprintState::kUnusable:
		unshared.unusable++;
		break;
	}
}

Source read_image(const std::string &path, const ContentsOptions &options)
{
	const ErofsImage image = open_image(path);
	Source source = {.name = path,
			 .kind = SourceKind::kImage,
			 .layers = {},
			 .files = {},
			 .has_fingerprints = false,
			 .declares_fingerprints =
				 image.fingerprint_name().has_value(),
			 .fragments = image.has_fragments(),
			 .unshared = {}};

	std::vector<ErofsFile> files = image.files();

	std::erase_if(files,
		      [](const ErofsFile &file) { return file.size == 0; });
	for (ErofsFile &file : files) {
		if (source.declares_fingerprints)
			count(file.state, source.unshared);
		source.files.push_back(
			{file.path, file.size, std::move(file.fingerprint)});
	}
	source.has_fingerprints = source.declares_fingerprints &&
				  source.unshared.all() < source.files.size();
	// Where fingerprints are declared and missing, the data often lies
	// elsewhere, too: it stays what it is, unshared.
	if (source.declares_fingerprints)
		return source;
	try {
		hash_contents_of(image, files, options, source.files);
	} catch (const std::system_error &error) {
		if (image.extra_devices() == 0 ||
		    error.code().value() != EINVAL)
			throw;
		throw_error(EOPNOTSUPP,
			    quote_name(path) +
				    ": it has neither fingerprints nor all of "
				    "its data, which is on other devices; "
				    "mount it and name the directory");
	}
	return source;
}

/// Bytes of the contents that are in each of two sources.
std::uint64_t common_bytes(const std::set<Key> &a, const std::set<Key> &b)
{
	std::uint64_t bytes = 0;

	for (const Key &key : a)
		if (b.count(key) != 0)
			bytes += page_bytes(key.second);
	return bytes;
}

/// Adds to @pair the layers that both sources have, each once.
void add_common_layers(const Source &a, const Source &b, PairShare &pair)
{
	std::set<std::string> digests;

	for (const LayerShare &layer : a.layers)
		digests.insert(layer.digest);
	for (const LayerShare &layer : b.layers)
		if (digests.erase(layer.digest) > 0) {
			pair.shared_layers++;
			pair.shared_layer_bytes += layer.size;
		}
}

/// Adds the paths of sources @first and @second that keep them from sharing; of
/// one path the biggest stays.
void find_obstacles(const std::vector<Source> &sources, std::size_t first,
		    std::size_t second,
		    std::map<std::string, Obstacle> &obstacles)
{
	std::map<std::string, const SourceFile *> by_path;

	for (const SourceFile &file : sources[first].files)
		by_path[file.path] = &file;
	for (const SourceFile &file : sources[second].files) {
		const auto same = by_path.find(file.path);

		// Contents that nobody knows are not other contents.
		if (same == by_path.end() || file.fingerprint.empty() ||
		    same->second->fingerprint.empty() ||
		    key_of(*same->second) == key_of(file))
			continue;
		const Obstacle found = {file.path, first, second,
					same->second->size, file.size};
		// Half as big or less: another file, not a version of it.
		if (std::max(found.first_size, found.second_size) / 2 >
		    found.bytes())
			continue;
		Obstacle &kept =
			obstacles.try_emplace(file.path, found).first->second;
		if (kept.bytes() < found.bytes())
			kept = found;
	}
}

std::vector<Obstacle> biggest(const std::map<std::string, Obstacle> &obstacles,
			      std::size_t top)
{
	std::vector<Obstacle> list;

	list.reserve(obstacles.size());
	for (const auto &[path, obstacle] : obstacles)
		list.push_back(obstacle);
	std::stable_sort(list.begin(), list.end(),
			 [](const Obstacle &a, const Obstacle &b) {
				 return a.bytes() > b.bytes();
			 });
	list.resize(std::min(list.size(), top));
	return list;
}

} // namespace

Source read_source(const std::string &path, const ContentsOptions &options)
{
	std::error_code error;

	if (fs::is_directory(path, error)) {
		return {.name = path,
			.kind = SourceKind::kDirectory,
			.layers = {},
			.files = files_of_directory(path),
			.has_fingerprints = false,
			.declares_fingerprints = false,
			.fragments = false,
			.unshared = {}};
	}
	if (!ErofsImage::probe(path))
		throw_error(EINVAL, quote_name(path) +
					    ": expected an erofs image or a "
					    "directory");
	return read_image(path, options);
}

Estimate estimate_sharing(const std::vector<Source> &sources, std::size_t top)
{
	std::map<std::string, Obstacle> obstacles;
	std::vector<std::set<Key>> keys(sources.size());
	std::map<Key, std::size_t> holders;
	Estimate result;

	for (std::size_t i = 0; i < sources.size(); i++) {
		for (const SourceFile &file : sources[i].files)
			if (!file.fingerprint.empty() &&
			    keys[i].insert(key_of(file)).second)
				holders[key_of(file)]++;
	}
	for (const auto &[key, count] : holders)
		result.shared_bytes += page_bytes(key.second);
	for (const Source &source : sources) {
		SourceShare share = {
			.name = source.name,
			.kind = source.kind,
			.layers = source.layers,
			.files = source.files.size(),
			.has_fingerprints = source.has_fingerprints,
			.declares_fingerprints = source.declares_fingerprints,
			.fragments = source.fragments,
			.unshared = source.unshared};

		for (const SourceFile &file : source.files) {
			share.bytes += page_bytes(file.size);
			if (file.fingerprint.empty())
				result.shared_bytes += page_bytes(file.size);
			else if (holders[key_of(file)] > 1)
				share.shared_bytes += page_bytes(file.size);
		}
		result.bytes += share.bytes;
		result.sources.push_back(std::move(share));
	}
	for (std::size_t i = 0; i < sources.size(); i++)
		for (std::size_t j = i + 1; j < sources.size(); j++) {
			PairShare pair = {
				.first = i,
				.second = j,
				.shared_bytes = common_bytes(keys[i], keys[j]),
				.least_bytes =
					std::min(result.sources[i].bytes,
						 result.sources[j].bytes),
				.shared_layers = 0,
				.shared_layer_bytes = 0};

			add_common_layers(sources[i], sources[j], pair);
			result.pairs.push_back(pair);
			find_obstacles(sources, i, j, obstacles);
		}
	result.obstacles = biggest(obstacles, top);
	return result;
}

namespace {

void print_sources(const Estimate &estimate, std::ostream &out)
{
	TextTable table({{"", Align::kRight},
			 {"Image", Align::kLeft},
			 {"Files", Align::kRight},
			 {"Bytes", Align::kRight},
			 {"Shared", Align::kRight},
			 {"", Align::kRight}});

	for (std::size_t i = 0; i < estimate.sources.size(); i++) {
		const SourceShare &source = estimate.sources[i];

		table.add({std::to_string(i + 1), quote_name(source.name),
			   std::to_string(source.files),
			   human_bytes(source.bytes),
			   human_bytes(source.shared_bytes),
			   percent(source.shared_bytes, source.bytes)});
	}
	table.print(out);
}

void print_pairs(const Estimate &estimate, std::ostream &out)
{
	TextTable table({{"Pair", Align::kLeft},
			 {"In common", Align::kRight},
			 {"of the smaller", Align::kRight}});

	for (const PairShare &pair : estimate.pairs)
		table.add({std::to_string(pair.first + 1) + " and " +
				   std::to_string(pair.second + 1),
			   human_bytes(pair.shared_bytes),
			   percent(pair.shared_bytes, pair.least_bytes)});
	out << '\n';
	table.print(out);
	for (const PairShare &pair : estimate.pairs)
		if (!estimate.sources[pair.first].layers.empty() &&
		    !estimate.sources[pair.second].layers.empty())
			out << "Layers of " << pair.first + 1 << " and "
			    << pair.second + 1
			    << " that are the same: " << pair.shared_layers
			    << ", " << human_bytes(pair.shared_layer_bytes)
			    << '\n';
}

void print_obstacles(const Estimate &estimate, std::ostream &out)
{
	TextTable table({{"Sizes", Align::kRight},
			 {"Pair", Align::kLeft},
			 {"File", Align::kLeft}});

	if (estimate.obstacles.empty())
		return;
	for (const Obstacle &file : estimate.obstacles)
		table.add({human_bytes(file.first_size) + ", " +
				   human_bytes(file.second_size),
			   std::to_string(file.first + 1) + " and " +
				   std::to_string(file.second + 1),
			   quote_name(file.path)});
	out << "\nSame path, other contents: what keeps similar images from "
	       "sharing more\n";
	table.print(out);
}

/// How many files are unshared for which reason.
std::string reasons(const UnsharedFiles &unshared)
{
	std::string text;
	const auto add = [&](std::uint64_t count, const std::string &what) {
		if (count > 0)
			text += (text.empty() ? "" : ", ") +
				std::to_string(count) + " " + what;
	};

	add(unshared.missing, "without a fingerprint");
	add(unshared.ambiguous, "with more than one fingerprint");
	add(unshared.unusable, "with an unusable fingerprint");
	return text;
}

/// What keeps @source from sharing, in one line each.
void print_remarks(const SourceShare &source, std::ostream &out)
{
	if (source.kind == SourceKind::kArchive ||
	    source.kind == SourceKind::kOci)
		out << quote_name(source.name)
		    << " is no image yet: it shares when it is made one with "
		       "mkfs.erofs "
		    << (source.kind == SourceKind::kArchive ? "--tar=f " : "")
		    << "--xattr-inode-digest"
		    << (source.kind == SourceKind::kArchive
				? ", which takes it unpacked (.tar).\n"
				: ", of the directory that its layers are "
				  "unpacked to.\n");
	else if (!source.declares_fingerprints)
		out << quote_name(source.name)
		    << " has no fingerprints: it shares when it is made with "
		       "mkfs.erofs --xattr-inode-digest.\n";
	else if (source.files == 0)
		out << quote_name(source.name)
		    << " has no file with contents: it shares nothing.\n";
	else if (source.unshared.missing == source.files)
		out << quote_name(source.name)
		    << " declares fingerprints, and no file has one (an index "
		       "of mkfs.erofs --tar=i, or merged of layers): as it is, "
		       "it shares nothing, and what it could share is not "
		       "known.\n";
	else if (source.unshared.all() > 0)
		out << quote_name(source.name) << ": files that share nothing: "
		    << reasons(source.unshared)
		    << "; erofs-share check names them.\n";
	if (source.fragments && !source.declares_fingerprints)
		out << quote_name(source.name)
		    << " has fragments, of which fsck.erofs 1.9.4 and some "
		       "kernels (Linux 6.18 is known), one of which reads it "
		       "here, read some wrong: what it shares may be more.\n";
	else if (source.fragments)
		out << quote_name(source.name)
		    << " has fragments, of which fsck.erofs 1.9.4 and some "
		       "kernels (Linux 6.18 is known) read some wrong: before "
		       "it is mounted in a domain, erofs-share check it with "
		       "the kernel that is to mount it.\n";
}

} // namespace

void print_estimate(const Estimate &estimate, std::ostream &out)
{
	print_sources(estimate, out);
	print_pairs(estimate, out);
	print_obstacles(estimate, out);
	out << "\nAll files read, the page cache takes "
	    << human_bytes(estimate.bytes) << " without sharing and "
	    << human_bytes(estimate.shared_bytes)
	    << " with it: " << human_bytes(estimate.saved_bytes()) << " ("
	    << percent(estimate.saved_bytes(), estimate.bytes) << ") saved.\n";
	for (const SourceShare &source : estimate.sources)
		print_remarks(source, out);
}

namespace {

const char *kind_name(SourceKind kind)
{
	switch (kind) {
	case SourceKind::kDirectory:
		return "directory";
	case SourceKind::kArchive:
		return "archive";
	case SourceKind::kOci:
		return "oci";
	default:
		return "image";
	}
}

nlohmann::json layers_of(const SourceShare &source)
{
	nlohmann::json layers = nlohmann::json::array();

	for (const LayerShare &layer : source.layers)
		layers.push_back(
			{{"digest", layer.digest}, {"size", layer.size}});
	return layers;
}

} // namespace

nlohmann::json to_json(const Estimate &estimate)
{
	nlohmann::json sources = nlohmann::json::array();
	nlohmann::json pairs = nlohmann::json::array();
	nlohmann::json obstacles = nlohmann::json::array();

	for (const SourceShare &source : estimate.sources)
		sources.push_back(
			{{"name", source.name},
			 {"kind", kind_name(source.kind)},
			 {"layers", layers_of(source)},
			 {"files", source.files},
			 {"bytes", source.bytes},
			 {"shared_bytes", source.shared_bytes},
			 {"has_fingerprints", source.has_fingerprints},
			 {"declares_fingerprints",
			  source.declares_fingerprints},
			 {"missing_files", source.unshared.missing},
			 {"ambiguous_files", source.unshared.ambiguous},
			 {"unusable_files", source.unshared.unusable}});
	for (const PairShare &pair : estimate.pairs)
		pairs.push_back(
			{{"first", pair.first},
			 {"second", pair.second},
			 {"shared_bytes", pair.shared_bytes},
			 {"shared_layers", pair.shared_layers},
			 {"shared_layer_bytes", pair.shared_layer_bytes}});
	for (const Obstacle &file : estimate.obstacles)
		obstacles.push_back({{"path", file.path},
				     {"first", file.first},
				     {"second", file.second},
				     {"first_size", file.first_size},
				     {"second_size", file.second_size}});
	return {{"version", 1},
		{"sources", sources},
		{"pairs", pairs},
		{"obstacles", obstacles},
		{"bytes", estimate.bytes},
		{"bytes_with_sharing", estimate.shared_bytes},
		{"saved_bytes", estimate.saved_bytes()}};
}

} // namespace erofs_share
