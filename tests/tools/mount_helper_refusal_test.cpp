// SPDX-License-Identifier: GPL-2.0-only
// What mount.erofs-share refuses, in words that name the file or the option,
// with mount(8)'s exit statuses; and that nothing is left of it.
#include "support/mount_helper_fixture.h"

#include "base/error.h"
#include "base/proc.h"

#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr uid_t kSomebody = 1000;

class MountHelperRefusal : public MountHelper {
      protected:
	void SetUp() override
	{
		MountHelper::SetUp();
		if (!IsSkipped())
			target_.emplace();
	}
	void TearDown() override
	{
		if (target_) {
			EXPECT_EQ(mounted_source(target()), "");
		}
		target_.reset();
		MountHelper::TearDown();
	}
	/// mount -t erofs-share of a good image with @options.
	[[nodiscard]] ProgramResult mount_with(const std::string &options) const
	{
		return mount8(options, images().find("enc-plain").disk(),
			      target_->path());
	}
	/// The same with the id in @path.
	[[nodiscard]] ProgramResult mount_by(const std::string &path) const
	{
		return mount_with("domain_id_file=" + path);
	}
	[[nodiscard]] const std::string &target() const
	{
		return target_->path();
	}

      private:
	std::optional<MountPoint> target_;
};

/// A file that makes no domain id, and what is said of it.
struct BadContent {
	const char *name;
	std::string text;
	const char *words;
};

void PrintTo(const BadContent &bad, std::ostream *out)
{
	*out << bad.name;
}

class MountHelperContent : public MountHelperRefusal,
			   public testing::WithParamInterface<BadContent> {};

TEST_P(MountHelperContent, IsRefusedByTheNameOfTheFileWithoutItsContent)
{
	const IdFile file(GetParam().text);

	EXPECT_THAT(mount_by(file.path()),
		    Prints(1, AllOf(HasSubstr("mount.erofs-share: "
					      "domain_id_file " +
					      file.path()),
				    HasSubstr(GetParam().words),
				    Not(HasSubstr("secret")))));
}

INSTANTIATE_TEST_SUITE_P(
	Texts, MountHelperContent,
	testing::Values(BadContent{"Empty", "", "is empty"},
			BadContent{"NewlineOnly", "\n", "is empty"},
			BadContent{"TooLong", std::string(256, 's') + "\n",
				   "is too long"},
			BadContent{"MuchTooLong", std::string(100000, 's'),
				   "is too long"},
			BadContent{"Comma", "secret,noexec\n", "comma"},
			BadContent{"SecondLine", "secret\nsecret\n", "line"},
			BadContent{"Nul", std::string("secret\0x", 8), "NUL"}),
	[](const auto &info) { return std::string(info.param.name); });

TEST_F(MountHelperRefusal, AnIdOf255BytesIsTaken)
{
	const IdFile file(std::string(255, 's') + "\n");
	const MountPoint other;

	EXPECT_THAT(mount8("domain_id_file=" + file.path(),
			   images().find("enc-plain").disk(), other.path()),
		    Prints(0, ""));
	EXPECT_TRUE(shows_inode_share(other.path()));
}

TEST_F(MountHelperRefusal, AFileThatGroupOrOthersMayUseIsRefused)
{
	const IdFile file(domain());

	for (const mode_t mode : {0604, 0640, 0620, 0610, 0644, 0777}) {
		ASSERT_EQ(chmod(file.path().c_str(), mode), 0);
		EXPECT_THAT(mount_by(file.path()),
			    Prints(1, AllOf(HasSubstr(file.path()),
					    HasSubstr("chmod 600"))));
	}
}

TEST_F(MountHelperRefusal, AFileThatOnlyRootMayReadIsTaken)
{
	const IdFile file(domain());
	const MountPoint other;

	ASSERT_EQ(chmod(file.path().c_str(), 0400), 0);
	EXPECT_THAT(mount8("domain_id_file=" + file.path(),
			   images().find("enc-plain").disk(), other.path()),
		    Prints(0, ""));
}

TEST_F(MountHelperRefusal, AFileOfSomebodyElseIsRefused)
{
	const IdFile file(domain());

	ASSERT_EQ(chown(file.path().c_str(), kSomebody, 0), 0);
	EXPECT_THAT(mount_by(file.path()),
		    Prints(1, AllOf(HasSubstr(file.path()),
				    HasSubstr("belongs to user 1000"))));
}

TEST_F(MountHelperRefusal, ALinkOfSomebodyElseIsRefused)
{
	const IdFile file(domain());
	const std::string link = file.path() + ".link";

	ASSERT_EQ(symlink(file.path().c_str(), link.c_str()), 0);
	EXPECT_THAT(helper({images().find("enc-plain").disk(), target(), "-f",
			    "-o", "domain_id_file=" + link}),
		    Prints(0, ""));
	ASSERT_EQ(lchown(link.c_str(), kSomebody, kSomebody), 0);
	EXPECT_THAT(mount_by(link), Prints(1, HasSubstr("symbolic link")));
	unlink(link.c_str());
}

TEST_F(MountHelperRefusal, AFileThatIsNotThereIsNamed)
{
	EXPECT_THAT(mount_by("/nowhere/id"),
		    Prints(1, HasSubstr("/nowhere/id: No such file")));
}

TEST_F(MountHelperRefusal, ADirectoryIsNoIdFile)
{
	EXPECT_THAT(mount_by("/run"), Prints(1, HasSubstr("not a regular")));
}

TEST_F(MountHelperRefusal, AFifoByItsPathIsRefusedAndNotWaitedFor)
{
	const std::string path = "/run/mount-helper-fifo";

	ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
	EXPECT_THAT(mount_by(path), Prints(1, HasSubstr("not a regular")));
	unlink(path.c_str());
}

TEST_F(MountHelperRefusal, AnIdAmongTheOptionsIsRefusedAndNotRepeated)
{
	EXPECT_THAT(mount_with(options() + ",domain_id=plainsecret"),
		    Prints(1, AllOf(HasSubstr("domain_id_file=PATH"),
				    Not(HasSubstr("plainsecret")))));
}

TEST_F(MountHelperRefusal, WithoutADomainThereIsNoMount)
{
	EXPECT_THAT(mount_with("noexec"),
		    Prints(1, HasSubstr("domain_id_file=PATH")));
}

TEST_F(MountHelperRefusal, TwoDomainsAreRefused)
{
	// Not by mount(8): that of util-linux 2.41 hands on the last one only.
	EXPECT_THAT(helper({images().find("enc-plain").disk(), target(), "-o",
			    options() + "," + options()}),
		    Prints(1, HasSubstr("given twice")));
}

TEST_F(MountHelperRefusal, AnUnknownOptionIsRefusedInTheKernelsWords)
{
	EXPECT_THAT(
		mount_with(options() + ",bogus"),
		Prints(32,
		       AllOf(HasSubstr("mount.erofs-share: " + target() + ": "),
			     HasSubstr("Unknown parameter 'bogus'"),
			     HasSubstr("leave it out"))));
}

TEST_F(MountHelperRefusal, BindAndPropagationAreNotForAHelper)
{
	const std::string disk = images().find("enc-plain").disk();

	for (const char *option : {"bind", "rbind", "rprivate", "shared"})
		EXPECT_THAT(helper({disk, target(), "-o",
				    options() + "," + option}),
			    Prints(1, HasSubstr("mount(8)'s own")));
}

TEST_F(MountHelperRefusal, WhatIsNoImageIsNamed)
{
	EXPECT_THAT(mount8(options(), find_disk("faulty").value_or("none"),
			   target()),
		    Prints(32, HasSubstr("is no EROFS image")));
}

TEST_F(MountHelperRefusal, AFileThatIsNoImageLeavesNoLoopDevice)
{
	const TemporaryFile file("/sbin/mount.erofs-share");

	EXPECT_THAT(mount8(options(), file.path(), target()),
		    Prints(32, HasSubstr(file.path())));
	EXPECT_THAT(helper({file.path(), target(), "-o", options() + ",loop"}),
		    Prints(32, HasSubstr(file.path())));
}

TEST_F(MountHelperRefusal, ASourceThatIsNotThereIsNamed)
{
	EXPECT_THAT(mount8(options(), "/nowhere/image", target()),
		    Prints(32, HasSubstr("/nowhere/image")));
}

TEST_F(MountHelperRefusal, ASourceThatCannotBeMountedIsNamed)
{
	EXPECT_THAT(mount8(options(), "/dev/null", target()),
		    Prints(32, HasSubstr("/dev/null is neither")));
}

TEST_F(MountHelperRefusal, AMountPointThatIsNotThereIsNamed)
{
	EXPECT_THAT(mount8(options(), images().find("enc-plain").disk(),
			   "/nowhere"),
		    Prints(32, HasSubstr("/nowhere: mount point does not")));
}

TEST_F(MountHelperRefusal, AMountPointThatIsAFileIsNamed)
{
	const TemporaryFile file;

	EXPECT_THAT(mount8(options(), images().find("enc-plain").disk(),
			   file.path()),
		    Prints(32, HasSubstr(file.path() + ": mount point is not "
						       "a directory")));
}

TEST_F(MountHelperRefusal, ARemountInAnotherDomainIsTheKernelsNo)
{
	const MountPoint mounted;
	const IdFile other(DomainId::random());
	const std::string disk = images().find("enc-plain").disk();

	mount8(options(), disk, mounted.path());
	EXPECT_THAT(mount8("remount,domain_id_file=" + other.path(), disk,
			   mounted.path()),
		    Prints(32, AllOf(HasSubstr("cannot remount: Invalid "
					       "argument"),
				     HasSubstr("leave domain_id_file out"))));
	EXPECT_TRUE(shows_inode_share(mounted.path()));
}

TEST_F(MountHelperRefusal, ARemountOfAnotherFileSystemTouchesNothing)
{
	const std::vector<std::string> before = shown_options("/tmp");

	EXPECT_THAT(helper({"tmpfs", "/tmp", "-o", "remount,noexec"}),
		    Prints(32, HasSubstr("no erofs is mounted")));
	EXPECT_EQ(shown_options("/tmp"), before);
}

TEST_F(MountHelperRefusal, AnImageMountedWithoutSharingKeepsThat)
{
	const Mount mount = mount_erofs(images().find("enc-plain").disk());

	EXPECT_THAT(mount_with(options()),
		    Prints(32, AllOf(HasSubstr("cannot mount"),
				     HasSubstr("without inode_share"),
				     HasSubstr("findmnt -t erofs"))));
	EXPECT_FALSE(shows_inode_share(mount.path()));
}

TEST_F(MountHelperRefusal, OnlyRootMounts)
{
	const std::string disk = images().find("enc-plain").disk();
	const IdFile file(domain());

	ASSERT_EQ(chown(file.path().c_str(), kSomebody, kSomebody), 0);
	const std::string said = run_in_child([&] {
		if (setgid(kSomebody) != 0 || setuid(kSomebody) != 0)
			throw_errno("setuid");
		const ProgramResult result =
			helper({disk, target(), "-o",
				"domain_id_file=" + file.path()});

		return std::to_string(result.status) + " " + result.output;
	});
	EXPECT_THAT(said, AllOf(HasSubstr("1 mount.erofs-share: "),
				HasSubstr("Operation not permitted")));
}

/// On an erofs that cannot share.
class MountHelperWithoutSharing : public ErofsTest {};

TEST_F(MountHelperWithoutSharing, SaysThatTheModuleIsTheWrongOne)
{
	// Where there is sharing, there is nothing to compare it with.
	RecordProperty("parity", "none");
	if (no_inode_share().empty())
		GTEST_SKIP() << "this erofs can share";
	const IdFile file(DomainId::random());
	const MountPoint target;

	EXPECT_THAT(mount8("domain_id_file=" + file.path(),
			   images().find("enc-plain").disk(), target.path()),
		    Prints(32, AllOf(HasSubstr("knows no inode_share"),
				     HasSubstr("erofs-inode-share-dkms"))));
	// Not even -s may mount it without.
	EXPECT_THAT(run({"/bin/mount", "-s", "-t", "erofs-share", "-o",
			 "domain_id_file=" + file.path(),
			 images().find("enc-plain").disk(), target.path()}),
		    Prints(32, HasSubstr("knows no inode_share")));
}

} // namespace
} // namespace erofs_share
