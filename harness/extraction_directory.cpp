// SPDX-License-Identifier: GPL-2.0-only
// A directory for what is extracted of an image.
#include "extraction_directory.h"

#include "error.h"
#include "quote.h"

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace erofs_share {

namespace fs = std::filesystem;

ExtractionDirectory::ExtractionDirectory()
{
	const char *base = std::getenv("TMPDIR");

	path_ = fs::absolute(base != nullptr && *base != '\0' ? base
							      : "/var/tmp")
			.string() +
		"/erofs-share.XXXXXX";
	if (mkdtemp(path_.data()) == nullptr)
		throw_errno("make a directory " + quote_name(path_) +
			    " to extract an image to; set TMPDIR to one with "
			    "space");
}

ExtractionDirectory::~ExtractionDirectory()
{
	std::error_code ignored;

	fs::remove_all(path_, ignored);
}

} // namespace erofs_share
