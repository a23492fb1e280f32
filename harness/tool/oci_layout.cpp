// SPDX-License-Identifier: GPL-2.0-only
// A directory in the layout of the Open Container Initiative.
#include "tool/oci_layout.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/quote.h"
#include "base/running_hash.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <sys/stat.h>
#include <sys/utsname.h>

namespace erofs_share {

namespace {

using nlohmann::json;

/// Registries take no bigger manifest.
constexpr std::uint64_t kMostJson = std::uint64_t{4} << 20;
/// What is nested deeper is copied by a function that calls itself as often.
constexpr int kMostDepth = 64;
/// Overlayfs takes no more. One that is named often is read as often.
constexpr std::size_t kMostLayers = 500;
/// An index may lead to another one.
constexpr unsigned int kMostIndexes = 4;
constexpr const char *kTag = "org.opencontainers.image.ref.name";

[[noreturn]] void refuse(const std::string &path, const std::string &expected)
{
	throw_error(EBADMSG, quote_name(path) + ": expected " + expected);
}

UniqueFd open_blob(const std::string &path, std::uint64_t &size)
{
	UniqueFd fd = open_file(path, O_RDONLY | O_NONBLOCK);
	struct stat status {};

	if (fstat(fd.get(), &status) != 0)
		throw_errno(quote_name(path));
	if (!S_ISREG(status.st_mode))
		refuse(path, "a regular file");
	size = static_cast<std::uint64_t>(status.st_size);
	return fd;
}

/// The bytes of the small file @path.
std::string read_small(const std::string &path)
{
	std::uint64_t size = 0;
	const UniqueFd fd = open_blob(path, size);

	if (size > kMostJson)
		refuse(path, "JSON of at most " + std::to_string(kMostJson) +
				     " bytes");
	std::string text(size, '\0');
	text.resize(read_at(fd.get(), std::as_writable_bytes(std::span(text)),
			    0, path));
	return text;
}

/// What @text, read from @path, is in JSON.
json parse_json(const std::string &text, const std::string &path)
{
	const auto look = [&](int depth, json::parse_event_t, const json &) {
		if (depth > kMostDepth)
			refuse(path, "JSON that is nested no deeper than " +
					     std::to_string(kMostDepth));
		return true;
	};
	json read = json::parse(text, look, false);
	if (!read.is_object())
		refuse(path, "a JSON object");
	return read;
}

/// The member @name of @object, which must be a string; empty if not there.
std::string text_member(const json &object, const char *name)
{
	const auto member = object.find(name);

	return member != object.end() && member->is_string()
		       ? member->get<std::string>()
		       : "";
}

/// The list @name in @object, which was read from @path.
const json &list_member(const json &object, const char *name,
			const std::string &path)
{
	const auto member = object.find(name);

	if (member == object.end() || !member->is_array())
		refuse(path, std::string("a list \"") + name + "\"");
	for (const json &entry : *member)
		if (!entry.is_object())
			refuse(path,
			       std::string("objects in \"") + name + "\"");
	return *member;
}

/// The blob that @descriptor, of the file @from, names.
OciLayer blob_of(const std::string &directory, const json &descriptor,
		 const std::string &from)
{
	constexpr std::string_view kSha256 = "sha256:";
	const std::string digest = text_member(descriptor, "digest");
	const std::string digits =
		digest.substr(std::min(kSha256.size(), digest.size()));

	// The digits become a path.
	if (!digest.starts_with(kSha256) || digits.size() != 64 ||
	    digits.find_first_not_of("0123456789abcdef") != std::string::npos)
		refuse(from, "digests of sha256: and 64 digits, not " +
				     quote_name(digest));
	return {.digest = digest,
		.digits = digits,
		.path = directory + "/blobs/sha256/" + digits};
}

/// What @blob is in JSON: the very bytes that have its digest.
json read_blob(const OciLayer &blob)
{
	const std::string text = read_small(blob.path);
	RunningHash hash;

	hash.add(std::as_bytes(std::span(text)));
	if (hex_digest(hash) != blob.digits)
		refuse(blob.path, "contents with the digest that it is named "
				  "for: the layout is damaged");
	return parse_json(text, blob.path);
}

/// What Debian's and others' "amd64" is to this machine.
std::string machine()
{
	struct utsname name {};

	uname(&name);
	std::string known = name.machine;
	if (known == "x86_64")
		return "amd64";
	if (known == "aarch64")
		return "arm64";
	return known;
}

/// That of @manifests, of the file @path, which is for this machine.
const json &choose(const json &manifests, const std::string &path)
{
	const json *found = nullptr;

	if (manifests.size() == 1)
		return manifests.front();
	for (const json &entry : manifests) {
		const auto platform = entry.find("platform");

		if (platform == entry.end() || !platform->is_object() ||
		    text_member(*platform, "os") != "linux" ||
		    text_member(*platform, "architecture") != machine())
			continue;
		if (found != nullptr)
			refuse(path, "one manifest for linux on " + machine() +
					     ", there are more");
		found = &entry;
	}
	if (found == nullptr)
		refuse(path, "a manifest for linux on " + machine());
	return *found;
}

std::string tag_of(const json &entry)
{
	const auto annotations = entry.find("annotations");

	return annotations != entry.end() && annotations->is_object()
		       ? text_member(*annotations, kTag)
		       : "";
}

} // namespace

bool is_oci_layout(const std::string &directory)
{
	std::error_code ignored;

	return std::filesystem::exists(directory + "/oci-layout", ignored) &&
	       std::filesystem::exists(directory + "/index.json", ignored);
}

OciName parse_oci_name(const std::string &name)
{
	const std::size_t colon = name.rfind(':');

	if (colon == std::string::npos || !is_oci_layout(name.substr(0, colon)))
		return {};
	return {.directory = name.substr(0, colon),
		.tag = name.substr(colon + 1)};
}

std::vector<std::string> oci_tags(const std::string &directory)
{
	const std::string path = directory + "/index.json";
	const json index = parse_json(read_small(path), path);
	std::vector<std::string> tags;

	for (const json &entry : list_member(index, "manifests", path))
		if (const std::string tag = tag_of(entry); !tag.empty())
			tags.push_back(tag);
	return tags;
}

std::vector<OciLayer> oci_layers(const OciName &name)
{
	std::string path = name.directory + "/index.json";
	json manifest = parse_json(read_small(path), path);
	json descriptor;
	std::vector<OciLayer> layers;

	for (const json &entry : list_member(manifest, "manifests", path))
		if (tag_of(entry) == name.tag)
			descriptor = entry;
	if (descriptor.is_null()) {
		std::string tags;

		for (const std::string &tag : oci_tags(name.directory))
			tags += (tags.empty() ? "" : ", ") + quote_name(tag);
		refuse(path, "an image with the tag " + quote_name(name.tag) +
				     "; there are: " +
				     (tags.empty() ? "none" : tags));
	}
	for (unsigned int depth = 0;; depth++) {
		const OciLayer blob = blob_of(name.directory, descriptor, path);

		path = blob.path;
		manifest = read_blob(blob);
		if (!manifest.contains("manifests"))
			break;
		if (depth == kMostIndexes)
			refuse(path, "an image's manifest, not one more index");
		descriptor =
			choose(list_member(manifest, "manifests", path), path);
	}
	const json &list = list_member(manifest, "layers", path);
	if (list.size() > kMostLayers)
		refuse(path, "at most " + std::to_string(kMostLayers) +
				     " layers, not " +
				     std::to_string(list.size()));
	for (const json &layer : list)
		layers.push_back(blob_of(name.directory, layer, path));
	return layers;
}

} // namespace erofs_share
