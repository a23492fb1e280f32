// SPDX-License-Identifier: GPL-2.0-only
// How mkfs.erofs is told to make an image of the tree of another one.
#include "tool/fingerprint_options.h"

#include "base/error.h"
#include "base/quote.h"

#include <algorithm>

namespace erofs_share {

namespace {

constexpr const char *kDigest = "--xattr-inode-digest";

/// Options of mkfs.erofs of one letter whose value may be the next word.
constexpr std::string_view kTakeValue = "bdxzCELTUm";

/// The longest label that mkfs.erofs takes.
constexpr std::size_t kLabel = 15;
/// mkfs.erofs has a chunk of zeroes in memory.
constexpr std::uint64_t kMostChunk = std::uint64_t{1} << 20;

bool takes_next_word(const std::string &word)
{
	return word.size() == 2 && word[0] == '-' &&
	       kTakeValue.find(word[1]) != std::string_view::npos;
}

bool has_option(const std::vector<std::string> &words, const std::string &start)
{
	return std::any_of(words.begin(), words.end(),
			   [&](const std::string &word) {
				   return word.starts_with(start);
			   });
}

} // namespace

std::vector<std::string> mkfs_options(const ImageForm &form,
				      const std::vector<std::string> &own)
{
	// A small inode has no time of its own. mkfs.erofs makes one for a file
	// that was changed in the second of the image's time, and loses its
	// nanoseconds.
	std::vector<std::string> options = {"--quiet",
					    "-Eforce-inode-extended"};

	for (std::size_t i = 0; i < own.size(); i++) {
		const bool value = i > 0 && takes_next_word(own[i - 1]);

		if (!value && (!own[i].starts_with('-') || own[i] == "-" ||
			       own[i] == "--"))
			throw_error(EINVAL,
				    quote_name(own[i]) +
					    ": expected options of mkfs.erofs "
					    "behind --, such as -zlz4hc, and "
					    "no names of files");
	}
	if (!has_option(own, kDigest))
		options.emplace_back(kDigest);
	if (!has_option(own, "-b"))
		options.push_back("-b" + std::to_string(form.block_size));
	if (!has_option(own, "-L") && !form.label.empty() &&
	    form.label.size() <= kLabel)
		options.push_back("-L" + form.label);
	// Else holes would become zeroes on the disk.
	if (form.chunk > 0 && !has_option(own, "--chunksize") &&
	    !has_option(own, "-b") && !compresses(own))
		options.push_back(
			"--chunksize=" +
			std::to_string(std::min(form.chunk, kMostChunk)));
	options.insert(options.end(), own.begin(), own.end());
	return options;
}

std::string digest_name(const std::vector<std::string> &options)
{
	const std::string start = std::string(kDigest) + "=";
	std::string name = kHiddenFingerprint;

	for (const std::string &option : options)
		if (option == kDigest)
			name = kHiddenFingerprint;
		else if (option.starts_with(start))
			name = option.substr(start.size());
	return name;
}

bool compresses(const std::vector<std::string> &options)
{
	return has_option(options, "-z");
}

} // namespace erofs_share
