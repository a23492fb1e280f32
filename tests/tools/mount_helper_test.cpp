// SPDX-License-Identifier: GPL-2.0-only
// mount -t erofs-share as users of mount(8) know it: disks, files, fstab,
// remounts, umount, and mount's own options. What the helper refuses is in
// mount_helper_refusal_test.cpp.
#include "support/mount_helper_fixture.h"

#include "base/proc.h"

namespace erofs_share {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

/// A file that all images of the trees dup-a and dup-b have.
constexpr const char *kCommon = "small/300001.text";

/// Whether reading @name at @a puts it into the page cache of @b.
bool shared_between(const std::string &a, const std::string &b,
		    const std::string &name)
{
	read_through(a + "/" + name);
	return resident_pages(b + "/" + name) == total_pages(a + "/" + name);
}

TEST_F(MountHelper, MountsADiskThatSharesWithAPlainMount)
{
	const MountPoint target;
	const ProgramResult result =
		mount8(options(), images().find("dup-a").disk(), target.path());

	EXPECT_EQ(result.status, 0);
	EXPECT_EQ(result.output, "");
	EXPECT_TRUE(shows_inode_share(target.path()));
	const Mount other = mount_erofs(images().find("dup-b").disk(),
					sharing(), MountApi::kMount);
	EXPECT_TRUE(shared_between(target.path(), other.path(), kCommon));
}

TEST_F(MountHelper, MountsTwoDisksThatShareWithEachOther)
{
	const MountPoint a;
	const MountPoint b;

	EXPECT_THAT(mount8(options(), images().find("dup-a").disk(), a.path()),
		    Prints(0, ""));
	EXPECT_THAT(mount8(options(), images().find("dup-b").disk(), b.path()),
		    Prints(0, ""));
	EXPECT_TRUE(shared_between(a.path(), b.path(), kCommon));
}

TEST_F(MountHelper, MountsOfTwoDomainsDoNotShare)
{
	const MountPoint a;
	const MountPoint b;
	const IdFile other(DomainId::random());

	mount8(options(), images().find("dup-a").disk(), a.path());
	mount8("domain_id_file=" + other.path(), images().find("dup-b").disk(),
	       b.path());
	EXPECT_TRUE(shows_inode_share(b.path()));
	EXPECT_FALSE(shared_between(a.path(), b.path(), kCommon));
}

TEST_F(MountHelper, TheNewlineAtTheEndOfTheFileIsNotPartOfTheId)
{
	const MountPoint a;
	const MountPoint b;
	const IdFile bare(domain(), "");

	mount8(options(), images().find("dup-a").disk(), a.path());
	mount8("domain_id_file=" + bare.path(), images().find("dup-b").disk(),
	       b.path());
	EXPECT_TRUE(shared_between(a.path(), b.path(), kCommon));
}

TEST_F(MountHelper, ARegularFileIsMountedAsItIsWhereTheKernelCan)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	const MountPoint target;
	const std::string file = images().find("enc-lz4").file();

	EXPECT_THAT(mount8(options(), file, target.path()), Prints(0, ""));
	EXPECT_EQ(mounted_source(target.path()), file);
	EXPECT_THAT(wrong_files(target.path(), find_tree("mix")), IsEmpty());
}

TEST_F(MountHelper, AFileThatTheKernelCannotMountComesThroughALoopDevice)
{
	// tmpfs has nothing that erofs could read a file by.
	const TemporaryFile copy(images().find("4k-lz4").file());
	std::string loop;
	{
		const MountPoint target;

		EXPECT_THAT(mount8(options(), copy.path(), target.path()),
			    Prints(0, ""));
		loop = mounted_source(target.path());
		EXPECT_THAT(loop, StartsWith("/dev/loop"));
		EXPECT_TRUE(is_attached(loop));
		EXPECT_TRUE(shows_inode_share(target.path()));
		EXPECT_THAT(umount8(target.path()), Prints(0, ""));
		EXPECT_THAT(shown_options(target.path()), IsEmpty());
	}
	EXPECT_FALSE(is_attached(loop));
}

TEST_F(MountHelper, OptionLoopGetsALoopDeviceThatUmountFrees)
{
	const MountPoint target;

	EXPECT_THAT(mount8(options() + ",loop", images().find("enc-lz4").file(),
			   target.path()),
		    Prints(0, ""));
	const std::string loop = mounted_source(target.path());
	EXPECT_THAT(loop, StartsWith("/dev/loop"));
	EXPECT_THAT(umount8(target.path()), Prints(0, ""));
	EXPECT_FALSE(is_attached(loop));
}

TEST_F(MountHelper, OptionLoopWorksWithoutMountEight)
{
	const MountPoint target;

	EXPECT_THAT(helper({images().find("enc-lz4").file(), target.path(),
			    "-o", options() + ",loop"}),
		    Prints(0, ""));
	const std::string loop = mounted_source(target.path());
	EXPECT_THAT(loop, StartsWith("/dev/loop"));
	EXPECT_THAT(umount8(target.path()), Prints(0, ""));
	EXPECT_FALSE(is_attached(loop));
}

TEST_F(MountHelper, FstabNeedsTheDirectoryOnly)
{
	const MountPoint target;
	const Fstab fstab(images().find("dup-a").disk() + " " + target.path() +
			  " erofs-share " + options() +
			  ",noauto,nofail,nodev,x-systemd.automount,_netdev "
			  "0 0\n");

	EXPECT_THAT(run({"/bin/mount", target.path()}), Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), Contains("inode_share"));
	EXPECT_THAT(shown_options(target.path()), Contains("nodev"));
	EXPECT_THAT(umount8(target.path()), Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), IsEmpty());
}

TEST_F(MountHelper, MountAllMountsWhatFstabNamesOnce)
{
	const MountPoint a;
	const MountPoint b;
	const Fstab fstab(images().find("dup-a").disk() + " " + a.path() +
			  " erofs-share " + options() + " 0 0\n" +
			  images().find("dup-b").file() + " " + b.path() +
			  " erofs-share " + options() + " 0 0\n");

	EXPECT_THAT(run({"/bin/mount", "-a"}), Prints(0, ""));
	EXPECT_THAT(run({"/bin/mount", "-a"}), Prints(0, ""));
	EXPECT_THAT(erofs_mounts(), SizeIs(2));
	EXPECT_TRUE(shows_inode_share(a.path()));
	EXPECT_TRUE(shows_inode_share(b.path()));
}

TEST_F(MountHelper, VerboseSaysWhatWasMountedAndNotTheId)
{
	const MountPoint target;
	const std::string disk = images().find("enc-plain").disk();
	const ProgramResult result =
		run({"/bin/mount", "-v", "-t", "erofs-share", "-o",
		     options() + ",noexec,user_xattr", disk, target.path()});

	EXPECT_EQ(result.status, 0);
	EXPECT_THAT(result.output, HasSubstr("mount.erofs-share: " + disk +
					     " mounted on " + target.path()));
	EXPECT_THAT(result.output, HasSubstr("inode_share,user_xattr"));
	EXPECT_FALSE(reveals(result.output));
}

TEST_F(MountHelper, FakeMountsNothing)
{
	const MountPoint target;

	EXPECT_THAT(
		run({"/bin/mount", "-f", "-t", "erofs-share", "-o", options(),
		     images().find("enc-plain").disk(), target.path()}),
		Prints(0, ""));
	EXPECT_THAT(erofs_mounts(), IsEmpty());
}

TEST_F(MountHelper, FakeChecksTheIdFileAllTheSame)
{
	const MountPoint target;

	EXPECT_THAT(run({"/bin/mount", "-f", "-t", "erofs-share", "-o",
			 "domain_id_file=/nowhere/id",
			 images().find("enc-plain").disk(), target.path()}),
		    Prints(1, HasSubstr("/nowhere/id: No such file")));
}

TEST_F(MountHelper, NoMtabMakesNoDifference)
{
	const MountPoint target;

	EXPECT_THAT(
		run({"/bin/mount", "-n", "-t", "erofs-share", "-o", options(),
		     images().find("enc-plain").disk(), target.path()}),
		Prints(0, ""));
	EXPECT_TRUE(shows_inode_share(target.path()));
}

TEST_F(MountHelper, SloppyLeavesOutOptionsThatTheKernelDoesNotKnow)
{
	const MountPoint target;

	EXPECT_THAT(run({"/bin/mount", "-s", "-t", "erofs-share", "-o",
			 options() + ",bogus,other=1",
			 images().find("enc-plain").disk(), target.path()}),
		    Prints(0, AllOf(HasSubstr("bogus"), HasSubstr("other"))));
	EXPECT_TRUE(shows_inode_share(target.path()));
}

TEST_F(MountHelper, SloppyDoesNotExcuseAWrongValue)
{
	const MountPoint target;

	EXPECT_THAT(run({"/bin/mount", "-s", "-t", "erofs-share", "-o",
			 options() + ",cache_strategy=nonsense",
			 images().find("enc-plain").disk(), target.path()}),
		    Prints(32, HasSubstr("cache_strategy")));
	EXPECT_THAT(erofs_mounts(), IsEmpty());
}

TEST_F(MountHelper, MountsWithTheFlagsOfMountEight)
{
	const MountPoint target;

	mount8(options() + ",nosuid,nodev,noexec,noatime,nodiratime",
	       images().find("enc-plain").disk(), target.path());
	for (const char *option :
	     {"ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"})
		EXPECT_THAT(shown_options(target.path()), Contains(option));
}

TEST_F(MountHelper, ReadWriteIsReadOnlyAsWithAnyErofs)
{
	const MountPoint target;

	EXPECT_THAT(mount8(options() + ",rw", images().find("enc-plain").disk(),
			   target.path()),
		    Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), Contains("ro"));
}

TEST_F(MountHelper, FileSystemOptionsReachTheKernel)
{
	const MountPoint target;

	mount8(options() + ",cache_strategy=disabled,nouser_xattr",
	       images().find("enc-lz4").disk(), target.path());
	EXPECT_THAT(shown_options(target.path()),
		    Contains("cache_strategy=disabled"));
	EXPECT_THAT(shown_options(target.path()), Contains("nouser_xattr"));
}

TEST_F(MountHelper, RemountInTheSameDomainChangesFlags)
{
	const MountPoint target;
	const std::string disk = images().find("enc-plain").disk();

	mount8(options() + ",noatime", disk, target.path());
	EXPECT_THAT(mount8(options() + ",remount,noexec", disk, target.path()),
		    Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), Contains("inode_share"));
	EXPECT_THAT(shown_options(target.path()), Contains("noexec"));
	EXPECT_THAT(shown_options(target.path()), Contains("noatime"));
	EXPECT_THAT(mount8(options() + ",remount,exec,relatime", disk,
			   target.path()),
		    Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), Not(Contains("noexec")));
	EXPECT_THAT(shown_options(target.path()), Contains("relatime"));
}

TEST_F(MountHelper, RemountNeedsNoDomain)
{
	const MountPoint target;
	const std::string disk = images().find("enc-plain").disk();

	mount8(options(), disk, target.path());
	EXPECT_THAT(mount8("remount,nosuid", disk, target.path()),
		    Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), Contains("inode_share"));
	EXPECT_THAT(shown_options(target.path()), Contains("nosuid"));
	// Without fstab and type, mount(8) takes all from the mount table.
	EXPECT_THAT(run({"/bin/mount", "-o", "remount,nodev", target.path()}),
		    Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), Contains("inode_share"));
	EXPECT_THAT(shown_options(target.path()), Contains("nodev"));
}

TEST_F(MountHelper, RemountByFstabNeedsTheDirectoryOnly)
{
	const MountPoint target;
	const Fstab fstab(images().find("dup-a").disk() + " " + target.path() +
			  " erofs-share " + options() + " 0 0\n");

	run({"/bin/mount", target.path()});
	EXPECT_THAT(run({"/bin/mount", "-o", "remount,noexec", target.path()}),
		    Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()), Contains("noexec"));
	EXPECT_THAT(shown_options(target.path()), Contains("inode_share"));
}

TEST_F(MountHelper, AnImageWithoutFingerprintsIsMountedWithAWarning)
{
	const MountPoint target;

	EXPECT_THAT(mount8(options(), images().find("no-fingerprint").disk(),
			   target.path()),
		    Prints(0, HasSubstr("has no fingerprints")));
	EXPECT_THAT(erofs_mounts(), SizeIs(1));
	EXPECT_FALSE(shows_inode_share(target.path()));
}

TEST_F(MountHelper, TheTargetMayBeInAnotherMountNamespace)
{
	const MountPoint target;
	const Namespace other;

	EXPECT_THAT(run({"/bin/mount", "-N", other.path(), "-t", "erofs-share",
			 "-o", options(), images().find("enc-plain").disk(),
			 target.path()}),
		    Prints(0, ""));
	EXPECT_THAT(erofs_mounts(), IsEmpty());
	EXPECT_THAT(other.mounts(), HasSubstr(target.path() + " erofs"));
}

} // namespace
} // namespace erofs_share
