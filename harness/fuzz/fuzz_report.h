// SPDX-License-Identifier: GPL-2.0-only
// What guests said about hostile images, on the host: what is left to run after
// a guest died, and the table.
//
// A run is a directory: "plan" has what is to be run, a range SEED:FROM:COUNT
// or a recipe a line; guest-N has "records" and "console.log".
#pragma once

#include "fuzz/mutator.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace erofs_share {

/// The mutants of SEED.erofs in the directory @images. Throws.
Mutator mutator_of(const std::string &images, const std::string &seed);

/// A recipe that is kept in tests/regressions/NAME.txt. Lines that start with
/// "#" say what it is; "# Stock: TEXT" says that the kernel's own module
/// crashes as well, and what the first complaint is then.
struct Regression {
	std::string name;
	std::string recipe;
	std::string stock; ///< "" if the stock module does not crash

	/// All of @directory, by name. Throws, naming the file, if one has no
	/// recipe.
	static std::vector<Regression> read_all(const std::string &directory);
};

/// What a mutant did that no image may do.
struct FuzzFailure {
	std::string seed;
	std::string recipe;
	std::string number; ///< "" if it came as a recipe
	std::string kind;
	std::string text;      ///< for a person
	std::string complaint; ///< the kernel's first, always in the same words
	std::string console;   ///< where to look
	std::string known;     ///< the regression that tells of it, or ""
};

/// Sums of one seed's mutants.
struct SeedSums {
	std::uint64_t mutants = 0; ///< begun
	std::uint64_t mounted = 0;
	std::uint64_t refused = 0;
	std::uint64_t files = 0;
	std::uint64_t errors = 0;
	std::uint64_t timed = 0; ///< mutants of the batches that ended
	double seconds = 0;	 ///< what they took
	std::uint64_t failed = 0;
	std::uint64_t known = 0;
};

/// The results of some runs.
class FuzzReport {
      public:
	/// @images is the directory of the seeds, for recipes; @known what is
	/// known. Reads the guests of each directory of @runs. Throws.
	FuzzReport(const std::vector<std::string> &runs, std::string images,
		   std::vector<Regression> known);

	/// What no guest has begun, as lines of a plan.
	[[nodiscard]] std::vector<std::string> remaining() const;
	void print(std::ostream &out) const;
	/// Seeds and recipes without a failure; with one or without a result;
	/// that the kernel cannot mount.
	[[nodiscard]] std::size_t passed() const;
	[[nodiscard]] std::size_t failed() const;
	[[nodiscard]] std::size_t skipped() const;

      private:
	void read_guest(const std::string &directory);
	void add_failure(FuzzFailure failure);
	[[nodiscard]] std::uint64_t planned() const;

	std::string images_;
	std::vector<Regression> known_;
	std::vector<std::string> plan_;
	std::map<std::string, SeedSums> seeds_;
	/// One past the last mutant begun, by seed.
	std::map<std::string, std::uint64_t> next_;
	std::map<std::string, std::size_t> recipes_; ///< begun: how often
	std::map<std::string, std::string> skips_;
	std::vector<FuzzFailure> failures_;
	bool ended_ = false; ///< the last guest came to its end
};

} // namespace erofs_share
