// SPDX-License-Identifier: GPL-2.0-only
// Unmounting an image while reads of it are in flight waits for them, and
// leaves a shared cache that others can go on with.
#include "base/fd.h"
#include "support/faulty_image.h"
#include "support/fixture.h"

#include <fcntl.h>
#include <future>
#include <optional>
#include <unistd.h>

namespace erofs_share {
namespace {

constexpr const char *kFile = "deep/er/text1m";

const FileSpec &spec()
{
	return find_tree("mix").file(kFile);
}

/// An image of the same tree as @which, on a disk of its own.
std::string other_image(const FaultyCase &which)
{
	return which.image == "enc-plain" ? "enc-noinline" : "enc-plain";
}

/// Reads of kFile that @device holds back while this lives.
class ReadsInFlight {
      public:
	/// Starts them in @mount, whose device @device is.
	ReadsInFlight(const Mount &mount, DmDevice &device) : device_(device)
	{
		const UniqueFd fd = open_file(mount.at(kFile), O_RDONLY);

		// What is read first stays cached: the metadata. Then the
		// contents go.
		EXPECT_EQ(difference(mount.at(kFile), spec()), "");
		EXPECT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED),
			  0);
		held_.emplace(device);
		EXPECT_EQ(readahead(fd.get(), 0, spec().size), 0);
		any_ = device.reads_held() > 0;
	}

	/// Why there are none, where the running kernel can do without reading
	/// again; "" when there are. For GTEST_SKIP.
	[[nodiscard]] std::string none() const
	{
		EXPECT_TRUE(any_ || !erofs_is_ours());
		return any_ ? "" : "nothing was read from the device";
	}

	/// Expects that unmounting @mount waits until the reads may end, and
	/// then succeeds.
	void expect_unmount_waits(Mount &mount)
	{
		std::future<int> unmounted =
			std::async(std::launch::async,
				   [&] { return mount.try_unmount(); });

		EXPECT_EQ(unmounted.wait_for(std::chrono::milliseconds(300)),
			  std::future_status::timeout)
			<< "unmounted with reads in flight";
		EXPECT_GT(device_.reads_held(), 0U);
		held_.reset();
		EXPECT_EQ(unmounted.get(), 0);
	}

      private:
	DmDevice &device_;
	std::optional<HeldReads> held_;
	bool any_ = false;
};

class UnmountInFlight : public ErofsTest,
			public testing::WithParamInterface<FaultyCase> {};

TEST_P(UnmountInFlight, WaitsForItsReadsWithoutSharing)
{
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	Mount mount = image.mount({});

	ReadsInFlight reads(mount, image.device());
	if (!reads.none().empty())
		GTEST_SKIP() << reads.none();
	reads.expect_unmount_waits(mount);
}

INSTANTIATE_TEST_SUITE_P(Layouts, UnmountInFlight,
			 testing::ValuesIn(faulty_cases()),
			 [](const auto &info) {
				 return case_name(info.param);
			 });

class SharedUnmountInFlight : public ShareTest,
			      public testing::WithParamInterface<FaultyCase> {};

TEST_P(SharedUnmountInFlight, OfOneImageWaitsForItsReadsAndTheOtherReadsOn)
{
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	Mount mount = image.mount(sharing());
	const Mount other = mount_shared(other_image(GetParam()));

	ReadsInFlight reads(mount, image.device());
	if (!reads.none().empty())
		GTEST_SKIP() << reads.none();
	reads.expect_unmount_waits(mount);
	EXPECT_EQ(difference(other.at(kFile), spec()), "");
}

TEST_P(SharedUnmountInFlight, OfTheLastImageWaitsForItsReads)
{
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	Mount mount = image.mount(sharing());

	ReadsInFlight reads(mount, image.device());
	if (!reads.none().empty())
		GTEST_SKIP() << reads.none();
	reads.expect_unmount_waits(mount);
}

TEST_P(SharedUnmountInFlight, OfAReaderThatWaitsForAnotherImageIsClean)
{
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	Mount slow = image.mount(sharing());
	Mount other = mount_shared(other_image(GetParam()));

	ReadsInFlight reads(slow, image.device());
	if (!reads.none().empty())
		GTEST_SKIP() << reads.none();
	// It has none of its own in flight, so nothing holds it.
	EXPECT_EQ(other.try_unmount(), 0);
	reads.expect_unmount_waits(slow);
}

INSTANTIATE_TEST_SUITE_P(Layouts, SharedUnmountInFlight,
			 testing::ValuesIn(faulty_cases()),
			 [](const auto &info) {
				 return case_name(info.param);
			 });

} // namespace
} // namespace erofs_share
