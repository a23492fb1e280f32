// SPDX-License-Identifier: GPL-2.0-only
// How check and estimate have the kernel read an image: in a mount that nobody
// can come to, and that leaves nothing.
#include "erofs/erofs_reader.h"
#include "os/detached_mount.h"
#include "support/fixture.h"

#include <filesystem>
#include <sys/statvfs.h>

namespace erofs_share {
namespace {

/// Files that loop devices have.
std::size_t loops_in_use()
{
	std::size_t count = 0;

	for (const auto &entry :
	     std::filesystem::directory_iterator("/sys/block"))
		if (std::filesystem::exists(entry.path() / "loop/backing_file"))
			count++;
	return count;
}

std::string all_mounts()
{
	return read_text("/proc/self/mountinfo");
}

class DetachedMountTest : public ErofsTest {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		if (!IsSkipped())
			need({"enc-lz4"});
	}
	static ErofsImage open_image()
	{
		const std::string path = images().find("enc-lz4").file();

		return ErofsImage(open_image_file(path), path);
	}
};

TEST_F(DetachedMountTest, IsNowhereAndLeavesNothing)
{
	const ErofsImage image = open_image();
	const std::string mounts = all_mounts();
	const std::size_t loops = loops_in_use();
	{
		const DetachedMount mount(image.fd(), {});

		EXPECT_EQ(all_mounts(), mounts);
		EXPECT_GE(loops_in_use(), loops);
	}
	EXPECT_EQ(all_mounts(), mounts);
	EXPECT_EQ(loops_in_use(), loops);
}

TEST_F(DetachedMountTest, RunsNothingAndOpensTheFilesOfTheImageAlone)
{
	constexpr unsigned long kFlags =
		ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC;
	const ErofsImage image = open_image();
	const DetachedMount mount(image.fd(), {});
	const std::vector<ErofsFile> files = image.files();
	struct statvfs status {};

	ASSERT_FALSE(files.empty());
	const ErofsFile &file = files.front();
	const UniqueFd fd = mount.open(file.path, file.nid);
	ASSERT_EQ(fstatvfs(fd.get(), &status), 0);
	EXPECT_EQ(status.f_flag & kFlags, kFlags);
	EXPECT_THROW((void)mount.open(file.path, file.nid + 1),
		     std::system_error);
	EXPECT_THROW((void)mount.open("../etc/passwd", 1), std::system_error);
	EXPECT_THROW((void)mount.open("/etc/passwd", 1), std::system_error);
}

} // namespace
} // namespace erofs_share
