// SPDX-License-Identifier: GPL-2.0-only
// What all tests stand on: the images, a fresh domain, a clean page cache
// before and no mount left after each test, and matchers for mount outcomes.
#pragma once

#include "content/content.h"
#include "content/images.h"
#include "machine/mount.h"
#include "machine/page_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// The file dup64m of the image pairs, in pages and in bytes.
inline constexpr std::uint64_t kBigPages = 16384;
inline constexpr std::int64_t kBigBytes = 67108864;
/// What reading cached content may add to the page cache, in bytes: inodes'
/// own pages, readahead.
inline constexpr std::int64_t kSlack = 1400000;

/// Leaves @bytes of free memory full of what nobody asked for, so that a page
/// which the kernel does not fill shows.
void dirty_free_memory(std::size_t bytes);

/// Mounts the image store for the time of all tests. Dirties free memory first.
class ImageEnvironment : public testing::Environment {
      public:
	void SetUp() override;
	void TearDown() override;
};

/// The image store of ImageEnvironment.
const ImageStore &images();

/// Any test of an erofs module, with or without sharing.
class ErofsTest : public testing::Test {
      protected:
	/// Empties the page cache, so that no test sees what another left.
	void SetUp() override;
	/// Fails the test if it leaves an erofs mounted.
	void TearDown() override;

	/// Skips the test when the running kernel cannot mount one of the
	/// images @names even without sharing, or not as @via asks. For
	/// SetUp(); does nothing in a test that is skipped already.
	static void need(const std::vector<std::string> &names,
			 Via via = Via::kDisk);
};

/// A test of sharing. Skipped when the running module has no inode_share.
class ShareTest : public ErofsTest {
      protected:
	void SetUp() override;

	/// Mounts image @name with inode_share in domain().
	Mount mount_shared(const std::string &name, Via via = Via::kDisk)
	{
		return mount_image(images().find(name), via, sharing());
	}
	/// The options that mount_shared() uses.
	[[nodiscard]] MountOptions sharing() const
	{
		return MountOptions::sharing(domain_);
	}
	/// A random domain that only this test knows.
	[[nodiscard]] const DomainId &domain() const
	{
		return domain_;
	}

      private:
	DomainId domain_ = DomainId::random();
};

/// Why the running module cannot share, asked once; "" when it can. For
/// GTEST_SKIP.
const std::string &no_inode_share();

/// Lets no_inode_share() be @reason, whatever the running module can. Before
/// the first test.
void disregard_inode_share(const std::string &reason);

/// A test of sharing between two images, the parameter.
class ImagePair : public ShareTest,
		  public testing::WithParamInterface<
			  std::pair<const char *, const char *>> {
      protected:
	void SetUp() override;
};

/// Whether the running kernel can mount the disk of image @name, without
/// sharing.
bool can_mount(const std::string &name);

/// Why the running kernel cannot mount a regular file as erofs; "" when it can.
std::string no_file_backed();

/// Whether the running erofs is our module. What only ours promises, of its own
/// limits or words, asks this and skips with the reason on any other.
bool erofs_is_ours();

/// Whether the mount at @target shows inode_share.
bool shows_inode_share(const std::string &target);

/// Every file of @tree below @root that is not what it should be, as text.
std::vector<std::string> wrong_files(const std::string &root, const Tree &tree);

/// Files of @tree (not empty ones) below @root that have a page missing from
/// the page cache.
std::vector<std::string> not_resident(const std::string &root,
				      const Tree &tree);

/// Files of @tree below @root that have any page in the page cache.
std::vector<std::string> partly_resident(const std::string &root,
					 const Tree &tree);

/// Reads every file of @tree below @root into the page cache.
void read_tree(const std::string &root, const Tree &tree);

/// "disk", "loop" or "file".
std::string via_name(Via via);

/// GoogleTest takes only letters, digits and _ in parameter names.
std::string parameter_name(const std::string &text);

/// Prints outcomes readably in failures.
void PrintTo(const MountOutcome &outcome, std::ostream *out);

/// Matches a MountOutcome without error.
MATCHER(Succeeds, "succeeds")
{
	*result_listener << arg.text();
	return arg.error == 0;
}

/// Matches a MountOutcome that failed with errno @error.
MATCHER_P(FailsWith, error,
	  "fails with " + std::generic_category().message(error))
{
	*result_listener << arg.text();
	return arg.error == error;
}

} // namespace erofs_share
