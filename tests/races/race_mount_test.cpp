// SPDX-License-Identifier: GPL-2.0-only
// Mounts and unmounts of one domain that meet: the last unmount and the first
// mount, a mount of an image that is still being unmounted, and all of it
// against unloading the module.
#include "base/fd.h"
#include "machine/kernel_module.h"
#include "os/loop_device.h"
#include "support/faulty_image.h"
#include "support/fixture.h"

#include <atomic>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <sys/mount.h>
#include <thread>

namespace erofs_share {
namespace {

constexpr const char *kModuleFile = "/modules/erofs.ko";
constexpr const char *kFile = "twin1";

const FileSpec &spec()
{
	return find_tree("mix").file(kFile);
}

/// Mounts the image @name as a loop device in @domain, reads a file and
/// unmounts, @rounds times. Returns "" or what went wrong.
std::string mount_over_and_over(const std::string &name, const DomainId &domain,
				int rounds)
{
	const LoopDevice loop(images().find(name).file());

	for (int round = 0; round < rounds; round++) {
		auto [mounted, outcome] = try_mount_erofs(
			loop.path(), MountOptions::sharing(domain));

		// The module may be unloaded right now.
		if (!mounted && outcome.error == ENODEV)
			continue;
		if (!mounted)
			return outcome.text();
		std::string wrong = difference(mounted->at(kFile), spec());
		if (!wrong.empty())
			return wrong;
		if (const int error = mounted->try_unmount(); error != 0)
			return "umount: errno " + std::to_string(error);
	}
	return "";
}

class MountRace : public ShareTest {
      protected:
	void TearDown() override
	{
		if (!module_loaded("erofs") &&
		    std::filesystem::exists(kModuleFile)) {
			EXPECT_EQ(load_module(kModuleFile), 0);
		}
		ShareTest::TearDown();
	}
};

TEST_F(MountRace, LastUnmountAgainstFirstMountOfTheSameDomain)
{
	constexpr int kRounds = 60;
	constexpr std::size_t kDomains = 3;
	std::vector<std::future<std::string>> results;
	if (!module_loaded("erofs"))
		GTEST_SKIP() << "erofs is built into this kernel";
	const int before = module_references("erofs");

	for (std::size_t i = 0; i < kDomains; i++) {
		const DomainId id = DomainId::random();

		for (const char *name : {"enc-plain", "enc-lz4"})
			results.push_back(std::async(std::launch::async,
						     mount_over_and_over, name,
						     id, kRounds));
	}
	for (auto &result : results)
		EXPECT_EQ(result.get(), "");
	EXPECT_EQ(module_references("erofs"), before) << "a domain is left";
}

TEST_F(MountRace, UnloadingTheModuleAgainstMounts)
{
	constexpr int kRounds = 60;
	if (!module_loaded("erofs"))
		GTEST_SKIP() << "erofs is built into this kernel";
	std::atomic<bool> done = false;
	int unloaded = 0;
	std::string wrong;
	std::thread unloader([&] {
		while (!done) {
			const int error = unload_module("erofs");

			if (error == 0) {
				unloaded++;
				if (const int loaded = load_module(kModuleFile);
				    loaded != 0)
					wrong = "insmod: errno " +
						std::to_string(loaded);
			} else if (error != EAGAIN && error != EBUSY) {
				wrong = "rmmod: errno " + std::to_string(error);
			}
			usleep(500);
		}
	});

	EXPECT_EQ(mount_over_and_over("enc-plain", domain(), kRounds), "");
	done = true;
	unloader.join();
	EXPECT_EQ(wrong, "");
	EXPECT_GT(unloaded, 0);
}

/// A file of @mount that is being read ahead, closed again, with its device
/// holding the reads back.
void leave_readahead(const Mount &mount, DmDevice &device,
		     std::optional<HeldReads> &held)
{
	const std::string path = mount.at("deep/er/text1m");
	const UniqueFd fd = open_file(path, O_RDONLY);

	// What is read first stays cached: the metadata.
	EXPECT_EQ(read_through(path),
		  find_tree("mix").file("deep/er/text1m").size);
	EXPECT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
	held.emplace(device);
	EXPECT_EQ(readahead(fd.get(), 0,
			    find_tree("mix").file("deep/er/text1m").size),
		  0);
}

class SlowMountRace : public MountRace,
		      public testing::WithParamInterface<FaultyCase> {};

TEST_P(SlowMountRace, MountOfTheSameDomainWhileAnUnmountWaitsForItsReads)
{
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	Mount slow = image.mount(sharing());
	std::optional<HeldReads> held;

	leave_readahead(slow, image.device(), held);
	std::future<int> unmounted = std::async(
		std::launch::async, [&] { return slow.try_unmount(); });
	const auto state = unmounted.wait_for(std::chrono::milliseconds(200));
	{
		// Joins the domain while its last member is going.
		const Mount other = mount_shared("enc-noinline");

		EXPECT_EQ(difference(other.at(kFile), spec()), "");
		held.reset();
		EXPECT_EQ(unmounted.get(), 0);
		EXPECT_EQ(difference(other.at("deep/er/text1m"),
				     find_tree("mix").file("deep/er/text1m")),
			  "");
	}
	if (state != std::future_status::timeout)
		GTEST_SKIP() << "nothing was read from the device";
}

TEST_P(SlowMountRace, LazyUnmountWithReadsInFlightThenMountOfTheSameImage)
{
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	Mount slow = image.mount(sharing());
	std::optional<HeldReads> held;

	leave_readahead(slow, image.device(), held);
	std::future<int> detached = std::async(std::launch::async, [&] {
		return umount2(slow.path().c_str(), MNT_DETACH);
	});
	// A mount of the same disk waits for the one that is going.
	std::future<std::string> again = std::async(std::launch::async, [&] {
		const Mount mount = image.mount(sharing());

		return difference(mount.at("deep/er/text1m"),
				  find_tree("mix").file("deep/er/text1m"));
	});
	std::this_thread::sleep_for(std::chrono::milliseconds(200));
	held.reset();
	EXPECT_EQ(detached.get(), 0);
	EXPECT_EQ(again.get(), "");
	slow.forget();
}

INSTANTIATE_TEST_SUITE_P(
	Layouts, SlowMountRace,
	testing::Values(FaultyCase{"enc-plain", Backing::kDisk},
			FaultyCase{"enc-lz4", Backing::kDisk},
			FaultyCase{"enc-plain", Backing::kFile}),
	[](const auto &info) { return case_name(info.param); });

} // namespace
} // namespace erofs_share
