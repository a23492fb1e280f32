// SPDX-License-Identifier: GPL-2.0-only
// One table of what several implementations promise, and keep, on the host:
// results of one suite, a row a promise. A promise is a test without its
// parameters.
#pragma once

#include "results/report.h"

#include <ostream>
#include <string>
#include <vector>

namespace erofs_share {

/// What became of one promise on one side; the later the worse.
enum class Verdict {
	kMissing,	///< the suite there has no such test
	kNotApplicable, ///< all its tests were skipped
	kPass,
	kLost, ///< no guest came to run it
	kFail,
	kComplaint,
	kHang,
	kCrash,
};

/// The cell of one promise and one side.
struct Cell {
	Verdict verdict = Verdict::kMissing;
	std::string reason; ///< of the first test with that verdict, one line
	/// What a test was skipped for that is no lack of the kernel but a
	/// difference that we know of: "known difference: ...".
	std::string difference;
	std::size_t tests = 0; ///< tests that were not skipped
	std::size_t worst = 0; ///< of them, those with that verdict
	std::size_t bad = 0;   ///< of them, those that did not pass
};

/// One implementation: what it is called, and its results.
struct Side {
	std::string name;
	Report report;
};

/// The table.
class Comparison {
      public:
	/// The rows are in the order of the first side's tests; what only
	/// others planned comes after. @sides: at least one.
	explicit Comparison(std::vector<Side> sides);

	/// For a terminal: the table, then a sentence a side.
	void print_text(std::ostream &out) const;
	/// The same in Markdown, and each side's failures by kind.
	void print_markdown(std::ostream &out) const;
	/// Whether there is a promise at all, the first side kept every one
	/// that applies to it, and its kernel never complained.
	[[nodiscard]] bool first_side_holds() const;

      private:
	struct Row {
		std::string promise; ///< "Suite.Name"
		std::vector<Cell> cells;
	};
	/// How many cells of side @side are @verdict.
	[[nodiscard]] std::size_t count(std::size_t side,
					Verdict verdict) const;
	void print_counts(std::ostream &out) const;

	std::vector<Side> sides_;
	std::vector<Row> rows_;
};

} // namespace erofs_share
