// SPDX-License-Identifier: GPL-2.0-only
// Mount options that make no sense are refused with EINVAL and one clear line
// in the fs context log, and leave nothing mounted.
#include "base/proc.h"
#include "support/fixture.h"

#include <algorithm>

namespace erofs_share {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Why a longer id may be accepted by another erofs: mount(2) has no limit.
constexpr const char *kOwnLimit =
	"255 bytes are this module's own limit for mount(2)";

class Options : public ShareTest {
      protected:
	/// Mounting with @options is refused through @api.
	static void expect_refused(const MountOptions &options, MountApi api)
	{
		KernelLog log;
		auto [mounted, outcome] = try_mount_erofs(
			images().find("enc-plain").disk(), options, api);

		EXPECT_FALSE(mounted.has_value());
		EXPECT_THAT(outcome, FailsWith(EINVAL));
		EXPECT_THAT(erofs_mounts(), IsEmpty());
		// mount(2) has no context that user space could read: there the
		// kernel log gets the line.
		std::vector<std::string> lines =
			api == MountApi::kFsopen ? outcome.log : log.read_new();
		lines.erase(std::remove_if(lines.begin(), lines.end(),
					   [](const std::string &line) {
						   return line.find("erofs") ==
							  std::string::npos;
					   }),
			    lines.end());
		// What the stock module of 6.1 says of every DAX mount.
		lines.erase(
			std::remove_if(lines.begin(), lines.end(),
				       [](const std::string &line) {
					       return line.find("DAX enabled. "
								"Warning") !=
						      std::string::npos;
				       }),
			lines.end());
		EXPECT_THAT(lines, SizeIs(1));
		EXPECT_THAT(lines, Contains(AnyOf(HasSubstr("inode_share"),
						  HasSubstr("domain_id"))));
	}
	[[nodiscard]] MountOptions with(const std::string &option) const
	{
		MountOptions options = sharing();

		options.extra.push_back(option);
		return options;
	}
};

TEST_F(Options, InodeShareWithoutDomainIdIsRefusedByFsconfig)
{
	expect_refused({.inode_share = true, .domain = {}, .extra = {}},
		       MountApi::kFsopen);
}

TEST_F(Options, InodeShareWithoutDomainIdIsRefusedByMount)
{
	expect_refused({.inode_share = true, .domain = {}, .extra = {}},
		       MountApi::kMount);
}

TEST_F(Options, EmptyDomainIdIsRefusedByFsconfig)
{
	expect_refused(MountOptions::sharing(DomainId("")), MountApi::kFsopen);
}

TEST_F(Options, EmptyDomainIdIsRefusedByMount)
{
	expect_refused(MountOptions::sharing(DomainId("")), MountApi::kMount);
}

TEST_F(Options, DomainIdOf256BytesIsRefusedByMount)
{
	if (!erofs_is_ours())
		GTEST_SKIP() << kOwnLimit;
	expect_refused(MountOptions::sharing(DomainId(std::string(256, 'x'))),
		       MountApi::kMount);
}

TEST_F(Options, DomainIdOf256BytesIsRefusedByFsconfig)
{
	// fsconfig(2) itself takes no longer string and asks no file system, so
	// there is no line to expect.
	const auto [mounted, outcome] = try_mount_erofs(
		images().find("enc-plain").disk(),
		MountOptions::sharing(DomainId(std::string(256, 'x'))));

	EXPECT_FALSE(mounted.has_value());
	EXPECT_THAT(outcome, FailsWith(EINVAL));
}

TEST_F(Options, DomainIdOf3000BytesIsRefusedByMount)
{
	if (!erofs_is_ours())
		GTEST_SKIP() << kOwnLimit;
	expect_refused(MountOptions::sharing(DomainId(std::string(3000, 'x'))),
		       MountApi::kMount);
}

TEST_F(Options, DomainIdOf255BytesIsAccepted)
{
	const MountOptions options =
		MountOptions::sharing(DomainId(std::string(255, 'x')));

	for (const MountApi api : {MountApi::kFsopen, MountApi::kMount}) {
		const Mount mount = mount_erofs(
			images().find("enc-plain").disk(), options, api);
		EXPECT_TRUE(shows_inode_share(mount.path()));
	}
}

TEST_F(Options, DomainIdOfOneByteIsAccepted)
{
	const Mount mount = mount_erofs(images().find("enc-plain").disk(),
					MountOptions::sharing(DomainId("x")));

	EXPECT_TRUE(shows_inode_share(mount.path()));
}

TEST_F(Options, DaxIsRefusedWithInodeShareByFsconfig)
{
	expect_refused(with("dax"), MountApi::kFsopen);
}

TEST_F(Options, DaxIsRefusedWithInodeShareByMount)
{
	expect_refused(with("dax"), MountApi::kMount);
}

TEST_F(Options, DaxAlwaysIsRefusedWithInodeShareByFsconfig)
{
	expect_refused(with("dax=always"), MountApi::kFsopen);
}

TEST_F(Options, DaxAlwaysIsRefusedWithInodeShareByMount)
{
	expect_refused(with("dax=always"), MountApi::kMount);
}

TEST_F(Options, DaxNeverGoesWithInodeShare)
{
	const Mount mount = mount_erofs(images().find("enc-plain").disk(),
					with("dax=never"));

	EXPECT_TRUE(shows_inode_share(mount.path()));
}

TEST_F(Options, DomainIdAloneTurnsNoSharingOn)
{
	auto [mounted, outcome] = try_mount_erofs(
		images().find("enc-plain").disk(),
		{.inode_share = false, .domain = domain(), .extra = {}});

	// Stock kernels with fscache refuse or ignore it; sharing it is not.
	if (mounted) {
		EXPECT_FALSE(shows_inode_share(mounted->path()));
	} else {
		EXPECT_THAT(outcome, FailsWith(EINVAL));
	}
}

} // namespace
} // namespace erofs_share
