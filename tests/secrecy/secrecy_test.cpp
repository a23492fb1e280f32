// SPDX-License-Identifier: GPL-2.0-only
// The domain id is a secret: the kernel shows it nowhere.
#include "base/fd.h"
#include "base/proc.h"
#include "support/secrecy_fixture.h"

#include <filesystem>

namespace erofs_share {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST_F(Secrecy, ProcMountsShowsInodeShareAndNoDomainId)
{
	const Mount mount = mount_shared("enc-plain");

	EXPECT_TRUE(shows_inode_share(mount.path()));
	const std::string mounts = read_text("/proc/mounts");
	EXPECT_FALSE(reveals(mounts));
	EXPECT_THAT(mounts, Not(HasSubstr("domain_id")));
}

TEST_F(Secrecy, MountinfoShowsNoDomainId)
{
	const Mount mount = mount_shared("enc-plain");
	const std::string text = read_text("/proc/self/mountinfo");

	EXPECT_THAT(text, HasSubstr("inode_share"));
	EXPECT_FALSE(reveals(text));
	EXPECT_THAT(text, Not(HasSubstr("domain_id")));
}

TEST_F(Secrecy, MountstatsShowsNoDomainId)
{
	const Mount mount = mount_shared("enc-plain");

	EXPECT_FALSE(reveals(read_text("/proc/self/mountstats")));
}

TEST_F(Secrecy, KernelLogShowsNoDomainIdAfterMountReadRemountAndUnmount)
{
	KernelLog log;
	{
		const Mount a = mount_shared("enc-plain");
		const Mount b = mount_erofs(images().find("enc-lz4").disk(),
					    sharing(), MountApi::kMount);

		read_tree(a.path(), *images().find("enc-plain").tree);
		EXPECT_EQ(a.remount(sharing()).error, 0);
	}
	for (const std::string &line : log.read_new())
		EXPECT_FALSE(reveals(line)) << line;
}

TEST_F(Secrecy, FailedMountsSayNothingOfTheDomainId)
{
	KernelLog log;
	MountOptions options = sharing();

	options.extra.emplace_back("dax=always");
	for (const MountApi api : {MountApi::kFsopen, MountApi::kMount}) {
		const auto [mounted, outcome] = try_mount_erofs(
			images().find("enc-plain").disk(), options, api);

		EXPECT_FALSE(mounted.has_value());
		EXPECT_FALSE(reveals(outcome.text()));
	}
	// Not an erofs at all.
	const auto [mounted, outcome] = try_mount_erofs(
		find_disk("images").value_or("none"), sharing());
	EXPECT_FALSE(mounted.has_value());
	EXPECT_FALSE(reveals(outcome.text()));
	for (const std::string &line : log.read_new())
		EXPECT_FALSE(reveals(line)) << line;
}

TEST_F(Secrecy, StatmountShowsNoDomainIdInAnyField)
{
	const Mount mount = mount_shared("enc-plain");
	const std::vector<std::string> answers = statmount_everything();

	if (answers.empty())
		GTEST_SKIP() << "this kernel has no statmount(2)";
	// The one about our mount, as proof that there is something to see.
	EXPECT_THAT(answers, Contains(HasSubstr(mount.path())));
	for (const std::string &answer : answers)
		EXPECT_FALSE(reveals(answer));
}

TEST_F(Secrecy, SysfsAndProcFsHaveNoNameAndNoFileWithTheDomainId)
{
	namespace fs = std::filesystem;
	const Mount mount = mount_shared("enc-plain");
	std::size_t read = 0;

	for (const char *root : {"/sys/fs/erofs", "/sys/class/bdi",
				 "/sys/module/erofs", "/proc/fs"}) {
		if (!fs::exists(root))
			continue;
		for (const auto &entry :
		     fs::recursive_directory_iterator(root)) {
			EXPECT_FALSE(reveals(entry.path().string()))
				<< entry.path();
			if (!entry.is_regular_file())
				continue;
			try {
				EXPECT_FALSE(reveals(
					read_text(entry.path().string())))
					<< entry.path();
				read++;
			} catch (const std::system_error &) {
				// Some attributes can only be written.
				continue;
			}
		}
	}
	EXPECT_GT(read, 5U);
}

TEST_F(Secrecy, NoSlabCacheIsNamedAfterTheDomain)
{
	namespace fs = std::filesystem;
	const Mount mount = mount_shared("enc-plain");
	const std::string slabs = read_text("/proc/slabinfo");

	EXPECT_THAT(slabs, HasSubstr("erofs"));
	EXPECT_FALSE(reveals(slabs));
	for (const auto &entry : fs::directory_iterator("/sys/kernel/slab"))
		EXPECT_FALSE(reveals(entry.path().string())) << entry.path();
}

} // namespace
} // namespace erofs_share
