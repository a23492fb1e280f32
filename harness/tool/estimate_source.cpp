// SPDX-License-Identifier: GPL-2.0-only
// Everything that estimate takes.
#include "tool/estimate_source.h"

#include "base/error.h"
#include "base/quote.h"
#include "erofs/erofs_reader.h"
#include "tool/archive_source.h"
#include "tool/oci_layout.h"

#include <filesystem>

namespace erofs_share {

namespace {

Source source_of(const std::string &name, SourceKind kind,
		 const ArchiveTree &tree)
{
	Source source;

	source.name = name;
	source.kind = kind;
	source.files = tree.files();
	return source;
}

Source read_oci(const std::string &name, const OciName &parts)
{
	ArchiveTree tree;
	std::vector<LayerShare> layers;

	for (const OciLayer &layer : oci_layers(parts)) {
		ArchiveFile archive = open_archive(layer.path);

		archive.digest = layer.digits;
		tree.add(archive, Whiteouts::kRemove);
		layers.push_back({layer.digest, archive.size});
	}
	Source source = source_of(name, SourceKind::kOci, tree);
	source.layers = std::move(layers);
	return source;
}

/// A layout holds images, and is none.
[[noreturn]] void need_tag(const std::string &directory)
{
	std::string tags;

	for (const std::string &tag : oci_tags(directory))
		tags += (tags.empty() ? "" : ", ") +
			quote_name(directory + ":" + tag);
	throw_error(EISDIR, quote_name(directory) +
				    ": it is an OCI layout; expected an image "
				    "of it by its tag: " +
				    (tags.empty() ? "there is none" : tags));
}

} // namespace

Source read_any_source(const std::string &name, const ContentsOptions &options)
{
	std::error_code error;
	const auto status = std::filesystem::status(name, error);

	if (!std::filesystem::exists(status)) {
		const OciName parts = parse_oci_name(name);

		if (!parts.directory.empty())
			return read_oci(name, parts);
		if (status.type() == std::filesystem::file_type::not_found)
			throw_error(ENOENT,
				    quote_name(name) +
					    ": expected an erofs image, a "
					    "directory, a tar archive, or "
					    "OCI-DIR:TAG with the directory of "
					    "an OCI layout");
	}
	if (std::filesystem::is_directory(status) && is_oci_layout(name))
		need_tag(name);
	if (!std::filesystem::is_regular_file(status) ||
	    ErofsImage::probe(name))
		return read_source(name, options);
	ArchiveTree tree;
	tree.add(open_archive(name), Whiteouts::kFiles);
	return source_of(name, SourceKind::kArchive, tree);
}

} // namespace erofs_share
