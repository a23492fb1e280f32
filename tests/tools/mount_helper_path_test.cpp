// SPDX-License-Identifier: GPL-2.0-only
// By which paths mount.erofs-share takes the file with the domain id: by none
// that somebody else can make lead to another file.
#include "support/mount_helper_fixture.h"

#include "base/error.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

constexpr uid_t kBob = 1000;

/// A directory that bob owns, in one of root's; a file with an id in another of
/// root's.
class MountHelperPath : public MountHelper {
      protected:
	void SetUp() override
	{
		MountHelper::SetUp();
		fs::create_directories(kRoots);
		fs::create_directories(kBobs);
		if (chmod(kRoots, 0700) != 0 || chown(kBobs, kBob, kBob) != 0)
			throw_errno("chown");
	}
	void TearDown() override
	{
		fs::remove_all(kTop);
		MountHelper::TearDown();
	}
	/// What -f says of an id in @path.
	[[nodiscard]] ProgramResult fake(const std::string &path) const
	{
		const MountPoint target;

		return helper({"-f", images().find("enc-plain").disk(),
			       target.path(), "-o", "domain_id_file=" + path});
	}

	static constexpr const char *kTop = "/run/helper-path";
	static constexpr const char *kRoots = "/run/helper-path/root";
	static constexpr const char *kBobs = "/run/helper-path/bob";
};

TEST_F(MountHelperPath, ALinkOfSomebodyElseOnTheWayIsRefused)
{
	const IdFile file(domain(), "\n", {kRoots});
	const fs::path name = fs::path(file.path()).filename();
	const std::string link = std::string(kTop) + "/conf";

	ASSERT_EQ(symlink(kRoots, link.c_str()), 0);
	EXPECT_THAT(fake(link + "/" + name.string()), Prints(0, ""));
	ASSERT_EQ(lchown(link.c_str(), kBob, kBob), 0);
	EXPECT_THAT(fake(link + "/" + name.string()),
		    Prints(1, AllOf(HasSubstr(link + " is a symbolic link of "
						     "user 1000"),
				    HasSubstr("name what it leads to"))));
}

TEST_F(MountHelperPath, ADirectoryOfSomebodyElseOnTheWayIsRefused)
{
	const IdFile file(domain(), "\n", {kRoots});
	const fs::path name = fs::path(file.path()).filename();
	const std::string link = std::string(kBobs) + "/conf";

	// Bob's own link, and one of root's that bob can exchange.
	ASSERT_EQ(symlink(kRoots, link.c_str()), 0);
	ASSERT_EQ(lchown(link.c_str(), kBob, kBob), 0);
	for (const uid_t owner : {kBob, uid_t{0}}) {
		ASSERT_EQ(lchown(link.c_str(), owner, owner), 0);
		EXPECT_THAT(fake(link + "/" + name.string()),
			    Prints(1, AllOf(HasSubstr("directory " +
						      std::string(kBobs) +
						      " belongs to user 1000"),
					    HasSubstr("/etc/erofs"))));
	}
}

TEST_F(MountHelperPath, AHardLinkInADirectoryOfSomebodyElseIsRefused)
{
	const IdFile file(domain(), "\n", {kRoots});
	const std::string link = std::string(kBobs) + "/domain";

	ASSERT_EQ(::link(file.path().c_str(), link.c_str()), 0);
	EXPECT_THAT(fake(link), Prints(1, HasSubstr("belongs to user 1000")));
	// Nobody but root can have made this one.
	EXPECT_THAT(fake(file.path()), Prints(0, ""));
}

TEST_F(MountHelperPath, ADirectoryThatOthersMayWriteIsRefusedStickyOrNot)
{
	const IdFile file(domain(), "\n", {kRoots});

	for (const mode_t mode : {0770, 0720, 0702, 01777}) {
		ASSERT_EQ(chmod(kRoots, mode), 0);
		EXPECT_THAT(fake(file.path()),
			    Prints(1, HasSubstr("others may write to the "
						"directory " +
						std::string(kRoots))));
	}
	ASSERT_EQ(chmod(kRoots, 0755), 0);
	EXPECT_THAT(fake(file.path()), Prints(0, ""));
}

TEST_F(MountHelperPath, DotsAndSlashesAreWalkedAsTheyStand)
{
	const IdFile file(domain(), "\n", {kRoots});
	const fs::path name = fs::path(file.path()).filename();
	const std::string roots(kRoots);

	EXPECT_THAT(fake(roots + "/.././/root/../root/./" + name.string()),
		    Prints(0, ""));
	// Through bob's it does not go, also when it comes out again.
	EXPECT_THAT(fake(std::string(kBobs) + "/../root/" + name.string()),
		    Prints(1, HasSubstr("belongs to user 1000")));
}

TEST_F(MountHelperPath, ALinkOfProcIsNotWalkedByItsText)
{
	const IdFile file(domain(), "\n", {kRoots});

	EXPECT_THAT(fake("/proc/self/root" + file.path()),
		    Prints(1, HasSubstr("leads to a file of a process")));
}

TEST_F(MountHelperPath, ALoopOfLinksEnds)
{
	const std::string link = std::string(kRoots) + "/loop";

	ASSERT_EQ(symlink("loop", link.c_str()), 0);
	EXPECT_THAT(fake(link), Prints(1, HasSubstr("Too many levels")));
}

} // namespace
} // namespace erofs_share
