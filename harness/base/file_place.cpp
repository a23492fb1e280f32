// SPDX-License-Identifier: GPL-2.0-only
// Directories and names of files to come.
#include "base/file_place.h"

#include "base/error.h"
#include "base/quote.h"
#include "base/trusted_path.h"

#include <array>
#include <sys/random.h>

namespace erofs_share {

FilePlace place_of(const std::string &path)
{
	const std::size_t slash = path.rfind('/');
	FilePlace place;

	place.name = slash == std::string::npos ? path : path.substr(slash + 1);
	if (place.name.empty() || place.name == "." || place.name == "..")
		throw_error(path.empty() ? ENOENT : EISDIR,
			    quote_name(path) + ": expected the name of a file");
	try {
		place.directory = open_directory_itself(
			slash == std::string::npos ? "."
						   : path.substr(0, slash + 1));
	} catch (const UntrustedPath &error) {
		const std::string text =
			quote_name(path) +
			": cannot make a new file in its directory";

		if (error.error() != 0)
			throw_error(error.error(), text);
		throw_error(EPERM, text + ": " + one_line(error.what()));
	}
	return place;
}

std::string unused_name(std::string_view start)
{
	static constexpr std::string_view kLetters =
		"abcdefghijklmnopqrstuvwxyz234567";
	std::array<unsigned char, 12> random{};
	std::string name(start);

	if (getrandom(random.data(), random.size(), 0) !=
	    static_cast<ssize_t>(random.size()))
		throw_errno("getrandom");
	for (const unsigned char byte : random)
		name += kLetters[byte % kLetters.size()];
	return name;
}

} // namespace erofs_share
