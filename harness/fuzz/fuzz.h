// SPDX-License-Identifier: GPL-2.0-only
// The guest's part of the search with hostile images: mounts each mutant, walks
// it, and looks whether anybody else was harmed. What the host makes of the
// records is in fuzz_report.h.
//
// Records:
//   mutant        one is about to be mounted: seed, number (or recipe)
//   fuzz          up to 100 are done: seed, mutants, mounted, refused, files,
//                 bytes, errors, seconds
//   fuzz-failure  what no image may do, then the guest ends: seed, number (or
//                 recipe), kind (complaint, damage, hang, harness), text
//   fuzz-skip     the kernel cannot mount a seed: seed, text
//   fuzz-end      all is done
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace erofs_share {

/// Mutants @from to @from + @count of one seed.
struct MutantRange {
	std::string seed;
	std::uint64_t from = 0;
	std::uint64_t count = 0;

	/// "SEED:FROM:COUNT". Throws std::invalid_argument.
	static MutantRange parse(const std::string &text);
};

/// Runs them all, with sharing. The seeds are on the disk called "seeds".
/// Throws when it cannot even begin.
void fuzz_ranges(const std::vector<MutantRange> &ranges);

/// Runs the mutants of @recipes in order; without any option when not @share,
/// for modules that cannot share. Throws as above.
void fuzz_recipes(const std::vector<std::string> &recipes, bool share);

} // namespace erofs_share
