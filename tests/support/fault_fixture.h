// SPDX-License-Identifier: GPL-2.0-only
// What tests of injected faults stand on: they skip on a kernel that cannot
// inject any, and leave nothing behind.
#pragma once

#include "machine/fault_injection.h"
#include "support/fixture.h"

#include <initializer_list>
#include <sched.h>
#include <set>
#include <string>

namespace erofs_share {

/// An image, and what the kernel is given it as.
struct FaultCase {
	std::string image; ///< one with the tree "facets"
	Via via = Via::kDisk;
};

/// For test names.
std::string case_name(const FaultCase &which);

/// What stays when a mount or a domain is forgotten: backing devices of mounts,
/// and references on the module, which domains hold, too.
std::set<std::string> held_by_erofs();

/// A test that makes operations fail. The names of such suites have "Faulty" in
/// them. It stays on one CPU, whose free pages
/// dirty_free_pages() gets.
class FaultTest : public ShareTest {
      protected:
	void SetUp() override;
	/// Expects that all of erofs' objects are freed; after the last of
	/// these tests, that no memory was lost in any of them.
	void TearDown() override;

	/// Mounts the image of @which with inode_share in domain().
	Mount mount_case(const FaultCase &which)
	{
		return mount_shared(which.image, which.via);
	}
	/// Mounts another image of the same tree than @which in
	/// domain().
	Mount mount_other_than(const FaultCase &which);

	/// Keeps the figures of @tally with the result of this test, in the row
	/// @path of the report, and expects that there were faults and that no
	/// error came without one.
	static void record(const std::string &path, const FaultTally &tally);

	/// Drops the page cache, then dirty_free_pages().
	static void drop_pages();
	/// Sees to it that the pages which are used next hold no contents of
	/// files: a read that fills nothing in must show.
	static void dirty_free_pages();

      private:
	std::set<std::string> held_;
	cpu_set_t cpus_{};
};

/// The file that these tests read: text of ten pages, the last not full. Each
/// layout has something to show there: a tail, a fragment, several chunks.
inline constexpr const char *kFaultFile = "twin1";
const FileSpec &fault_file();

/// Reads all of @fd, which is kFaultFile of some image, and expects that what
/// came before any error is right. Returns the errno; 0 at the end of the file.
int read_checked(const UniqueFd &fd);

/// Matches a FaultTally whose errors are all among @errors, with none that was
/// not provoked.
MATCHER_P(OnlyFailsWith, errors, "")
{
	*result_listener << arg.text();
	for (const auto &[error, times] : arg.outcomes)
		if (error != 0 && std::find(errors.begin(), errors.end(),
					    error) == errors.end())
			return false;
	return arg.unprovoked == 0;
}

/// The list of errors for OnlyFailsWith().
inline std::vector<int> errors(std::initializer_list<int> list)
{
	return list;
}

} // namespace erofs_share
