// SPDX-License-Identifier: GPL-2.0-only
// The fingerprint rule as a list of images: a fingerprint names the contents of
// a file when exactly one of the file's attributes, inline or shared, resolves
// to the fingerprint attribute's full name, however prefixes split it, and has
// 1 to 256 bytes. The kernel module and erofs-share are tested with the same
// list: what one shares, the other must not call ambiguous.
//
// Each image has one file, kCaseFile, with the contents of "own" of the tree
// kCaseTree. Wrong values are those of "low" and "high", other files of the
// same size whose values sort before and behind it.
#pragma once

#include "content/attributes.h"
#include "content/image_builder.h"

#include <functional>
#include <string>
#include <vector>

namespace erofs_share {

inline constexpr const char *kCaseTree = "fingerprints";
inline constexpr const char *kCaseFile = "case";

/// What a file's attributes say.
enum class CaseVerdict : std::uint8_t {
	kOne,	    ///< one fingerprint: the file shares
	kNone,	    ///< none
	kAmbiguous, ///< two or more
	kUnusable,  ///< one that is empty or too long, or attributes that
		    ///< cannot be read
};

/// "one", "none", "ambiguous" or "unusable".
const char *case_verdict_name(CaseVerdict verdict);

/// The values that mkfs.erofs gives the files of kCaseTree.
struct CaseValues {
	std::string low;
	std::string own;
	std::string high;
};

/// One image.
struct FingerprintCase {
	std::string name;
	CaseVerdict verdict = CaseVerdict::kOne;
	/// Whether the one fingerprint is that of "own", so that the file
	/// shares with an honest image's.
	bool honest = true;
	/// Makes the image; nothing where mkfs.erofs makes it.
	std::function<RawImage(const CaseValues &)> build;
	/// What mkfs.erofs makes it with, of an archive whose one file has the
	/// attributes @attributes.
	std::vector<std::string> options;
	std::function<std::vector<Attribute>(const CaseValues &)> attributes;
};

/// All of them.
const std::vector<FingerprintCase> &fingerprint_cases();

/// Makes the images of all cases in @directory, NAME.erofs each, with
/// @mkfs, the path of mkfs.erofs; the honest image "honest.erofs" of the tree
/// kCaseTree; and "verdicts", which names each case and its verdict, a line
/// each. Throws.
void make_fingerprint_cases(const std::string &mkfs,
			    const std::string &directory);

} // namespace erofs_share
