// SPDX-License-Identifier: GPL-2.0-only
// What is said of one path: a sentence for each reason, and its name in JSON.
#include "tool/status_path.h"

#include "base/quote.h"

#include <array>
#include <ostream>
#include <string_view>

namespace erofs_share {

namespace {

struct Words {
	Sharing sharing;
	const char *name; ///< in JSON
	const char *of_mount;
	const char *of_file;
};

constexpr std::array kWords = {
	Words{Sharing::kShares, "shares", "shares", "shares"},
	Words{Sharing::kNotErofs, "not_erofs",
	      "shares nothing: it is on another file system than EROFS",
	      "does not share: it is on another file system than EROFS"},
	Words{Sharing::kNotRegular, "not_regular", "",
	      "does not share: only regular files do"},
	Words{Sharing::kDax, "dax",
	      "shares nothing: it is mounted with dax, without a page cache",
	      "does not share: it is read by DAX, without a page cache"},
	Words{Sharing::kNoOption, "no_option",
	      "shares nothing: it is mounted without inode_share (see "
	      "mount.erofs-share)",
	      "does not share: it is mounted without inode_share (see "
	      "mount.erofs-share)"},
	Words{Sharing::kNoFingerprints, "no_fingerprints",
	      "shares nothing: its image has no fingerprints (mkfs.erofs "
	      "--xattr-inode-digest)",
	      "does not share: its image has no fingerprints (mkfs.erofs "
	      "--xattr-inode-digest)"},
	Words{Sharing::kEmpty, "empty", "",
	      "does not share: it is empty, there is nothing to share"},
	Words{Sharing::kMissing, "missing", "",
	      "does not share: it has no fingerprint (see erofs-share check)"},
	Words{Sharing::kAmbiguous, "ambiguous", "",
	      "does not share: it has more than one fingerprint (see "
	      "erofs-share check)"},
	Words{Sharing::kUnusable, "unusable", "",
	      "does not share: its fingerprint cannot be used (see erofs-share "
	      "check)"},
	Words{Sharing::kOtherDomain, "other_domain",
	      "shares with nobody: other mounts are in other domains",
	      "shares with nobody: only mounts in other domains have its "
	      "contents"},
	Words{Sharing::kAlone, "alone",
	      "shares with nobody: no other mount is in a domain",
	      "shares with nobody: no other mount has its contents"},
	Words{Sharing::kNeverOpened, "never_opened",
	      "does not share yet: none of its files was opened",
	      "did not share yet: nobody had opened it since it was last "
	      "evicted; this question has, so it does now"},
	Words{Sharing::kUnknown, "unknown", "may share", "may share"},
};

const Words &words_for(Sharing sharing)
{
	for (const Words &words : kWords)
		if (words.sharing == sharing)
			return words;
	return kWords.back();
}

std::string mounts(std::size_t count, const char *kind)
{
	return std::to_string(count) + " " + kind +
	       (count == 1 ? " mount" : " mounts");
}

} // namespace

void print_path_status(const PathStatus &status, std::ostream &out)
{
	constexpr std::size_t kShown = 10;
	const Words &words = words_for(status.sharing);

	out << quote_name(status.path) << ": "
	    << (status.is_file ? words.of_file : words.of_mount);
	if (status.sharing == Sharing::kShares ||
	    status.sharing == Sharing::kNeverOpened)
		out << ", with " << mounts(status.with.size(), "other");
	if (!status.detail.empty())
		out << ": " << one_line(status.detail);
	out << ".\n";
	for (std::size_t i = 0; i < status.with.size() && i < kShown; i++)
		out << "    " << quote_name(status.with[i]) << '\n';
	if (status.with.size() > kShown)
		out << "    and " << status.with.size() - kShown << " more\n";
	if (status.domain)
		out << "It is in domain " << *status.domain << ", mounted from "
		    << quote_name(status.source) << ".\n";
	if (status.elsewhere > 0)
		out << mounts(status.elsewhere, "other")
		    << (status.is_file ? " with its contents" : "")
		    << " in other domains.\n";
	if (status.unread > 0)
		out << mounts(status.unread, "other")
		    << " of its domain could not be looked at.\n";
}

nlohmann::json to_json(const PathStatus &status)
{
	return {{"version", 1},
		{"path", status.path},
		{"kind", status.is_file ? "file" : "mount"},
		{"shares", status.sharing == Sharing::kShares},
		{"reason", words_for(status.sharing).name},
		{"detail", status.detail},
		{"source", status.source},
		{"target", status.target},
		{"domain", status.domain ? nlohmann::json(*status.domain)
					 : nlohmann::json()},
		{"with", status.with},
		{"in_other_domains", status.elsewhere},
		{"unread", status.unread}};
}

} // namespace erofs_share
