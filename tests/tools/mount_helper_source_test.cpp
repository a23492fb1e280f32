// SPDX-License-Identifier: GPL-2.0-only
// What mount.erofs-share mounts from: images with data on other devices, each a
// file or a block device; names with blanks and commas, also by fstab; and what
// -f finds without a mount.
#include "support/mount_helper_fixture.h"

#include "base/proc.h"

#include <filesystem>
#include <sys/stat.h>

namespace erofs_share {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

namespace fs = std::filesystem;

class MountHelperSource : public MountHelper {
      protected:
	void SetUp() override
	{
		MountHelper::SetUp();
		need({"4k-blob"});
	}
	static const Image &image()
	{
		return images().find("4k-blob");
	}
};

/// A directory with a blank and a comma in its name, gone when this goes.
class OddDirectory {
      public:
	OddDirectory()
	{
		fs::create_directories(path_);
	}
	OddDirectory(const OddDirectory &) = delete;
	OddDirectory &operator=(const OddDirectory &) = delete;
	OddDirectory(OddDirectory &&) = delete;
	OddDirectory &operator=(OddDirectory &&) = delete;
	~OddDirectory()
	{
		fs::remove_all(path_);
	}
	[[nodiscard]] std::string at(const std::string &name) const
	{
		return path_ + "/" + name;
	}

      private:
	std::string path_ = "/run/a b,c";
};

TEST_F(MountHelperSource, FilesForImageAndDeviceAreMountedAsTheKernelCan)
{
	const MountPoint target;

	EXPECT_THAT(mount8(options() + ",device=" + image().blob_file(),
			   image().file(), target.path()),
		    Prints(0, ""));
	EXPECT_THAT(wrong_files(target.path(), *image().tree), IsEmpty());
}

TEST_F(MountHelperSource, OptionLoopIsForDevicesToo)
{
	const MountPoint target;

	EXPECT_THAT(mount8(options() + ",loop,device=" + image().blob_file(),
			   image().file(), target.path()),
		    Prints(0, ""));
	EXPECT_THAT(mounted_source(target.path()), StartsWith("/dev/loop"));
	EXPECT_EQ(attached_loops().size(), 2U);
	EXPECT_THAT(wrong_files(target.path(), *image().tree), IsEmpty());
}

TEST_F(MountHelperSource, AFileAndABlockDeviceGoTogether)
{
	for (const bool image_is_file : {true, false}) {
		const MountPoint target;

		EXPECT_THAT(
			mount8(options() + ",device=" +
				       (image_is_file ? image().blob_disk()
						      : image().blob_file()),
			       image_is_file ? image().file() : image().disk(),
			       target.path()),
			Prints(0, ""));
		EXPECT_THAT(wrong_files(target.path(), *image().tree),
			    IsEmpty());
	}
}

TEST_F(MountHelperSource, ADeviceThatIsNotThereIsNamed)
{
	const MountPoint target;

	EXPECT_THAT(mount8(options() + ",device=/nowhere/blob", image().disk(),
			   target.path()),
		    Prints(32, HasSubstr("/nowhere/blob: No such file")));
}

TEST_F(MountHelperSource, MoreDevicesThanTheImageHasAreExplained)
{
	const MountPoint target;
	const std::string device = ",device=" + image().blob_disk();

	EXPECT_THAT(mount8(options() + device + device, image().disk(),
			   target.path()),
		    Prints(32, HasSubstr("name all devices of the image")));
}

TEST_F(MountHelperSource, FstabMayHaveBlanksAndCommasInNames)
{
	const OddDirectory odd;
	const IdFile file(domain());

	fs::copy_file(image().file(), odd.at("image"));
	fs::copy_file(image().blob_file(), odd.at("blob"));
	fs::copy_file(file.path(), odd.at("id"));
	ASSERT_EQ(chmod(odd.at("id").c_str(), 0600), 0);
	fs::create_directory(odd.at("mount point"));
	const Fstab fstab("/run/a\\040b,c/image /run/a\\040b,c/mount\\040point "
			  "erofs-share domain_id_file=\"/run/a\\040b,c/id\","
			  "device=\"/run/a\\040b,c/blob\" 0 0\n");

	EXPECT_THAT(run({"/bin/mount", odd.at("mount point")}), Prints(0, ""));
	EXPECT_THAT(wrong_files(odd.at("mount point"), *image().tree),
		    IsEmpty());
	EXPECT_THAT(umount8(odd.at("mount point")), Prints(0, ""));
}

TEST_F(MountHelperSource, FakeFindsWhatTheKernelWouldRefuse)
{
	const MountPoint target;
	const std::string disk = images().find("enc-plain").disk();
	const auto fake = [&](const std::string &more) {
		return helper(
			{"-f", disk, target.path(), "-o", options() + more});
	};

	EXPECT_THAT(fake(""), Prints(0, ""));
	EXPECT_THAT(fake(",noatime=recursive"),
		    Prints(1, HasSubstr("noatime takes no value")));
	EXPECT_THAT(fake(",bogus"),
		    Prints(32, AllOf(HasSubstr("Unknown parameter 'bogus'"),
				     HasSubstr("would not mount"))));
	EXPECT_THAT(fake(",cache_strategy=nonsense"),
		    Prints(32, HasSubstr("cache_strategy")));
	EXPECT_THAT(fake(",\""), Prints(1, HasSubstr("not closed")));
	EXPECT_THAT(helper({"-f", "/sbin/mount.erofs-share", target.path(),
			    "-o", options()}),
		    Prints(32, HasSubstr("is no EROFS image")));
	EXPECT_THAT(erofs_mounts(), IsEmpty());
}

TEST_F(MountHelperSource, FakeLooksAtARemountToo)
{
	const MountPoint target;
	const std::string disk = images().find("enc-plain").disk();

	mount8(options(), disk, target.path());
	EXPECT_THAT(helper({"-f", disk, target.path(), "-o", "remount,bogus"}),
		    Prints(32, HasSubstr("Unknown parameter 'bogus'")));
	EXPECT_THAT(helper({"-f", disk, target.path(), "-o", "remount,noexec"}),
		    Prints(0, ""));
	EXPECT_THAT(shown_options(target.path()),
		    testing::Not(testing::Contains("noexec")));
}

TEST_F(MountHelperSource, ADirectoryBelowAMountIsNoMountToRemount)
{
	const MountPoint target;
	const std::string disk = images().find("enc-plain").disk();

	mount8(options(), disk, target.path());
	EXPECT_THAT(
		helper({disk, target.path() + "/deep", "-o", "remount,noexec"}),
		Prints(32, HasSubstr("nothing is mounted at this very "
				     "directory")));
}

} // namespace
} // namespace erofs_share
