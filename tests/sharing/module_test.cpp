// SPDX-License-Identifier: GPL-2.0-only
// The module can be unloaded after use, leaves nothing behind, and can be
// loaded again.
#include "base/fd.h"
#include "base/proc.h"
#include "machine/kernel_module.h"
#include "support/fixture.h"

#include <filesystem>
#include <sstream>

namespace erofs_share {
namespace {

using testing::IsEmpty;

constexpr const char *kModuleFile = "/modules/erofs.ko";

/// What of erofs, or of anything that a module of that name made, is there.
std::vector<std::string> traces()
{
	namespace fs = std::filesystem;
	std::vector<std::string> found;

	for (const char *directory :
	     {"/sys/module", "/sys/class/bdi", "/sys/kernel/slab", "/sys/fs",
	      "/proc/fs", "/sys/kernel/debug"}) {
		if (!fs::exists(directory))
			continue;
		for (const auto &entry : fs::directory_iterator(directory))
			// A link in /sys/kernel/slab is an alias of a merged
			// cache; the kernel keeps it past the cache's end.
			if (!entry.is_symlink() &&
			    entry.path().filename().string().find("erofs") !=
				    std::string::npos)
				found.push_back(entry.path().string());
	}
	for (const char *file :
	     {"/proc/filesystems", "/proc/slabinfo", "/proc/modules"}) {
		std::istringstream lines(read_text(file));

		for (std::string line; std::getline(lines, line);)
			if (line.find("erofs") != std::string::npos)
				found.push_back(std::string(file) + ": " +
						line);
	}
	return found;
}

class Module : public ShareTest {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (IsSkipped())
			return;
		if (!module_loaded("erofs"))
			GTEST_SKIP() << "erofs is built into this kernel";
	}
	void TearDown() override
	{
		if (!module_loaded("erofs") &&
		    std::filesystem::exists(kModuleFile)) {
			EXPECT_EQ(load_module(kModuleFile), 0);
		}
		ShareTest::TearDown();
	}
	void use()
	{
		const Mount a = mount_shared("enc-plain");
		const Mount b = mount_shared("enc-lz4");
		const Mount c =
			mount_erofs(images().find("enc-chunk").disk(),
				    MountOptions::sharing(DomainId::random()));
		const Tree &tree = *images().find("enc-plain").tree;

		read_tree(a.path(), tree);
		read_tree(b.path(), tree);
		read_tree(c.path(), tree);
	}
};

TEST_F(Module, UnloadsAfterUseAndLeavesNothingBehind)
{
	use();
	EXPECT_EQ(unload_module("erofs"), 0);
	EXPECT_THAT(traces(), IsEmpty());
}

TEST_F(Module, CanBeLoadedAgainAndSharesAgain)
{
	use();
	ASSERT_EQ(unload_module("erofs"), 0);
	ASSERT_EQ(load_module(kModuleFile), 0);
	const Mount a = mount_shared("enc-plain");
	const Mount b = mount_shared("enc-noinline");
	read_through(a.at("twin1"));
	EXPECT_EQ(resident_pages(b.at("twin1")), total_pages(b.at("twin1")));
}

TEST_F(Module, CannotBeUnloadedWhileAnImageIsMounted)
{
	const Mount a = mount_shared("enc-plain");

	EXPECT_EQ(unload_module("erofs"), EAGAIN);
	EXPECT_EQ(difference(a.at("twin1"), find_tree("mix").file("twin1")),
		  "");
}

TEST_F(Module, UnloadsAfterFailedMounts)
{
	MountOptions options = sharing();

	options.extra.emplace_back("dax=always");
	EXPECT_FALSE(try_mount_erofs(images().find("enc-plain").disk(), options)
			     .first.has_value());
	EXPECT_FALSE(
		try_mount_erofs(find_disk("images").value_or("none"), sharing())
			.first.has_value());
	EXPECT_EQ(unload_module("erofs"), 0);
	EXPECT_THAT(traces(), IsEmpty());
}

} // namespace
} // namespace erofs_share
