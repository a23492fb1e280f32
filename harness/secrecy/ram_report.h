// SPDX-License-Identifier: GPL-2.0-only
// What the searches of a guest's memory found: a row a point, a column a way of
// mounting.
#pragma once

#include "secrecy/ram_search.h"
#include "wire/record.h"

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace erofs_share {

/// The searches of one guest.
class RamReport {
      public:
	/// Adds the search at the point that @record names, with what it found.
	void add(const Record &record, std::vector<RamHit> hits);
	/// The guest's kernel (uname -r).
	void set_kernel(const std::string &kernel)
	{
		kernel_ = kernel;
	}
	/// How the guest's program ended.
	void set_status(int status)
	{
		status_ = status;
	}
	/// How many bytes each search went through.
	void set_memory(std::uint64_t bytes)
	{
		memory_ = bytes;
	}

	/// Failures with where the id was found, one line "FAILED POINT, WAY"
	/// each; the table; what it means.
	void print(std::ostream &out) const;
	/// Tests, which are points by way, that passed and failed. A point out
	/// of reach is no test. A guest that did not come to its end is one
	/// more failed test.
	[[nodiscard]] std::size_t passed() const;
	[[nodiscard]] std::size_t failed() const;

      private:
	struct Search {
		std::string when;
		std::string outcome;
		std::vector<RamHit> hits;
	};
	/// A point in one way of mounting.
	struct Cell {
		std::string expect;
		std::string surprise;
		std::vector<Search> searches;

		[[nodiscard]] std::size_t most_hits() const;
		/// Why this is a failed test; "" if it is not.
		[[nodiscard]] std::string failure() const;
	};
	struct Row {
		std::string point;
		std::map<std::string, Cell> cells; ///< by way
	};
	[[nodiscard]] bool complete() const
	{
		return status_ == 0 && !rows_.empty();
	}
	/// How many cells make @wanted true.
	template <typename Predicate>
	[[nodiscard]] std::size_t count(Predicate wanted) const;
	void print_failures(std::ostream &out) const;
	/// The rows that are, or are not, out of reach in some way.
	void print_table(std::ostream &out, bool outside) const;
	void print_meaning(std::ostream &out) const;

	std::vector<Row> rows_;
	std::vector<std::string> ways_;
	std::string kernel_;
	std::uint64_t memory_ = 0;
	int status_ = -1;
};

} // namespace erofs_share
