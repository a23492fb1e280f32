// SPDX-License-Identifier: GPL-2.0-only
// Nothing is shared across domains, or with a mount that did not ask for it.
#include "support/fixture.h"

namespace erofs_share {
namespace {

using testing::IsEmpty;

/// What the second of two mounts of one tree is given.
class Isolation : public ShareTest {
      protected:
	/// Reads all of a shared image, then expects nothing of it in a second
	/// mount of the same content with @options.
	void expect_isolated(const MountOptions &first,
			     const MountOptions &second)
	{
		const Tree &tree = *images().find("enc-plain").tree;
		const Mount a =
			mount_erofs(images().find("enc-plain").disk(), first);
		const Mount b = mount_erofs(
			images().find("enc-noinline").disk(), second);

		read_tree(a.path(), tree);
		EXPECT_THAT(not_resident(a.path(), tree), IsEmpty());
		EXPECT_THAT(partly_resident(b.path(), tree), IsEmpty());
		EXPECT_THAT(wrong_files(b.path(), tree), IsEmpty());
	}
};

TEST_F(Isolation, MountsOfDifferentDomainsShareNothing)
{
	expect_isolated(sharing(), MountOptions::sharing(DomainId::random()));
}

TEST_F(Isolation, DomainsWhoseIdsShareAPrefixShareNothing)
{
	expect_isolated(MountOptions::sharing(DomainId("domain")),
			MountOptions::sharing(DomainId("domain2")));
}

TEST_F(Isolation, DomainIdsDifferingOnlyInCaseShareNothing)
{
	expect_isolated(MountOptions::sharing(DomainId("domain")),
			MountOptions::sharing(DomainId("Domain")));
}

TEST_F(Isolation, MountWithoutTheOptionTakesNothingFromASharedOne)
{
	expect_isolated(sharing(), {});
}

TEST_F(Isolation, MountWithoutTheOptionGivesNothingToASharedOne)
{
	expect_isolated({}, sharing());
}

TEST_F(Isolation, DiskCannotBeMountedAgainInAnotherDomain)
{
	// The kernel has one superblock for a disk, and that is in one domain.
	const std::string disk = images().find("enc-plain").disk();
	const Mount first = mount_erofs(disk, sharing());
	const auto [second, outcome] = try_mount_erofs(
		disk, MountOptions::sharing(DomainId::random()));

	EXPECT_FALSE(second.has_value());
	EXPECT_NE(outcome.error, 0);
	EXPECT_TRUE(shows_inode_share(first.path()));
}

TEST_F(Isolation, DiskMountedPlainCannotBeMountedAgainShared)
{
	const std::string disk = images().find("enc-plain").disk();
	const Mount first = mount_erofs(disk);
	const auto [second, outcome] = try_mount_erofs(disk, sharing());

	EXPECT_FALSE(second.has_value());
	EXPECT_NE(outcome.error, 0);
	EXPECT_FALSE(shows_inode_share(first.path()));
}

TEST_F(Isolation, DiskCanBeMountedAgainInItsOwnDomain)
{
	const std::string disk = images().find("enc-plain").disk();
	const Mount first = mount_erofs(disk, sharing());
	const auto [second, outcome] = try_mount_erofs(disk, sharing());

	EXPECT_THAT(outcome, Succeeds());
}

class PlainMount : public ErofsTest {};

TEST_F(PlainMount, MountsWithoutTheOptionShareNothing)
{
	const Tree &tree = *images().find("enc-plain").tree;
	const Mount a = mount_erofs(images().find("enc-plain").disk());
	const Mount b = mount_erofs(images().find("enc-noinline").disk());

	read_tree(a.path(), tree);
	EXPECT_THAT(not_resident(a.path(), tree), IsEmpty());
	EXPECT_THAT(partly_resident(b.path(), tree), IsEmpty());
	EXPECT_FALSE(shows_inode_share(a.path()));
}

} // namespace
} // namespace erofs_share
