// SPDX-License-Identifier: GPL-2.0-only
// A remount cannot turn sharing on, off or into another domain.
#include "support/fixture.h"

namespace erofs_share {
namespace {

using testing::IsEmpty;

class Remount : public ShareTest, public testing::WithParamInterface<MountApi> {
      protected:
	/// Expects that @a and a second image of the domain share.
	void expect_shares(const Mount &a)
	{
		const Mount b = mount_shared("enc-noinline");
		const Tree &tree = *images().find("enc-plain").tree;

		drop_caches(Drop::kAll);
		read_tree(a.path(), tree);
		EXPECT_THAT(not_resident(b.path(), tree), IsEmpty());
		EXPECT_TRUE(shows_inode_share(a.path()));
	}
	/// Expects that @a shares nothing and reads well.
	void expect_shares_nothing(const Mount &a)
	{
		const Mount b = mount_shared("enc-noinline");
		const Tree &tree = *images().find("enc-plain").tree;

		drop_caches(Drop::kAll);
		EXPECT_THAT(wrong_files(a.path(), tree), IsEmpty());
		EXPECT_THAT(partly_resident(b.path(), tree), IsEmpty());
		EXPECT_FALSE(shows_inode_share(a.path()));
	}
};

TEST_P(Remount, WithoutSharingOptionsKeepsSharing)
{
	const Mount mount = mount_shared("enc-plain");

	EXPECT_THAT(mount.remount({}, GetParam()), Succeeds());
	expect_shares(mount);
}

TEST_P(Remount, WithAnotherOptionKeepsSharing)
{
	const Mount mount = mount_shared("enc-plain");

	EXPECT_THAT(mount.remount({.inode_share = false,
				   .domain = {},
				   .extra = {"noacl"}},
				  GetParam()),
		    Succeeds());
	expect_shares(mount);
}

TEST_P(Remount, WithInodeShareAloneKeepsSharing)
{
	const Mount mount = mount_shared("enc-plain");

	// Refused or taken for what is already so: sharing must not suffer.
	static_cast<void>(mount.remount(
		{.inode_share = true, .domain = {}, .extra = {}}, GetParam()));
	expect_shares(mount);
}

TEST_P(Remount, WithTheSameDomainSucceeds)
{
	const Mount mount = mount_shared("enc-plain");

	EXPECT_THAT(mount.remount(sharing(), GetParam()), Succeeds());
	expect_shares(mount);
}

TEST_P(Remount, WithAnotherDomainIsRefused)
{
	const Mount mount = mount_shared("enc-plain");
	const MountOutcome outcome = mount.remount(
		MountOptions::sharing(DomainId::random()), GetParam());

	EXPECT_THAT(outcome, FailsWith(EINVAL));
	if (GetParam() == MountApi::kFsopen) {
		EXPECT_THAT(outcome.log, testing::SizeIs(1));
	}
	expect_shares(mount);
}

TEST_P(Remount, WithInodeShareLeavesAnUnsharedMountUnshared)
{
	const Mount mount = mount_erofs(images().find("enc-plain").disk());

	// Whether it is refused or ignored, it must not crash and not share.
	static_cast<void>(mount.remount(
		{.inode_share = true, .domain = {}, .extra = {}}, GetParam()));
	expect_shares_nothing(mount);
}

TEST_P(Remount, WithInodeShareAndADomainLeavesAnUnsharedMountUnshared)
{
	const Mount mount = mount_erofs(images().find("enc-plain").disk());

	static_cast<void>(mount.remount(sharing(), GetParam()));
	expect_shares_nothing(mount);
}

INSTANTIATE_TEST_SUITE_P(Through, Remount,
			 testing::Values(MountApi::kFsopen, MountApi::kMount),
			 [](const auto &info) {
				 return info.param == MountApi::kFsopen
						? "fsconfig"
						: "mount";
			 });

} // namespace
} // namespace erofs_share
