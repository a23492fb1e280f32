// SPDX-License-Identifier: GPL-2.0-only
// An image on a device that fails or stalls is the business of its own readers
// only, and an error is forgotten as soon as the device works again.
#include "base/fd.h"
#include "support/faulty_image.h"
#include "support/fixture.h"

#include <fcntl.h>
#include <future>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::IsEmpty;

constexpr const char *kFile = "deep/er/text1m";
/// For what must not wait for a stalled device; emulated guests are slow.
constexpr std::chrono::seconds kPatience{30};

/// Two images of one tree in one domain: one on a device that can fail, and a
/// healthy one of another encoding.
class BrokenDevice : public ShareTest,
		     public testing::WithParamInterface<FaultyCase> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (IsSkipped())
			return;
		faulty_.emplace(GetParam());
		if (!faulty_->unsupported().empty())
			GTEST_SKIP() << faulty_->unsupported();
		broken_.emplace(faulty_->mount(sharing()));
		healthy_.emplace(mount_shared(GetParam().image == "enc-plain"
						      ? "enc-noinline"
						      : "enc-plain"));
	}
	void TearDown() override
	{
		broken_.reset();
		healthy_.reset();
		faulty_.reset();
		ShareTest::TearDown();
	}

	/// Content of the tree's file @path.
	static const FileSpec &file(const std::string &path = kFile)
	{
		return find_tree("mix").file(path);
	}
	/// Path of kFile in the image whose device fails.
	[[nodiscard]] std::string broken(const std::string &path = kFile) const
	{
		return broken_->at(path);
	}
	/// Path of kFile in the other image.
	[[nodiscard]] std::string healthy(const std::string &path = kFile) const
	{
		return healthy_->at(path);
	}
	DmDevice &device()
	{
		return faulty_->device();
	}
	/// The errno of reading 4 KiB of @fd at @offset; 0 when it can be read.
	[[nodiscard]] static int read_error(const UniqueFd &fd, off_t offset)
	{
		std::array<char, 4096> buffer{};

		return pread(fd.get(), buffer.data(), buffer.size(), offset) < 0
			       ? errno
			       : 0;
	}
	/// Reads all of the image whose device fails, so that its inodes and
	/// metadata are cached, then drops its files' contents.
	void warm_metadata()
	{
		EXPECT_THAT(wrong_files(broken_->path(), find_tree("mix")),
			    IsEmpty());
		for (const FileSpec &each : find_tree("mix").files) {
			const UniqueFd fd =
				open_file(broken(each.path), O_RDONLY);
			EXPECT_EQ(posix_fadvise(fd.get(), 0, 0,
						POSIX_FADV_DONTNEED),
				  0);
		}
	}
	/// The same file through the healthy image, in a thread of its own.
	[[nodiscard]] std::future<std::string>
	read_healthy(const std::string &path) const
	{
		return std::async(std::launch::async, [this, path] {
			return difference(healthy(path), file(path));
		});
	}

      private:
	std::optional<FaultyImage> faulty_;
	std::optional<Mount> broken_;
	std::optional<Mount> healthy_;
};

TEST_P(BrokenDevice, DoesNotFailReadersOfAnotherImage)
{
	// Opening looks at the image's metadata, which a failed device has not.
	const UniqueFd fd = open_file(broken(), O_RDONLY);

	device().fail_reads();
	EXPECT_EQ(read_error(fd, 0), EIO);
	EXPECT_EQ(difference(healthy(), file()), "");
}

TEST_P(BrokenDevice, StillReadsWhatAnotherImageHasCached)
{
	const UniqueFd fd = open_file(broken(), O_RDONLY);
	std::vector<std::byte> bytes(file().size);

	device().fail_reads();
	EXPECT_EQ(difference(healthy(), file()), "");
	EXPECT_EQ(read_at(fd.get(), bytes, 0, broken()), bytes.size());
	EXPECT_EQ(difference(bytes, file()), "");
}

TEST_P(BrokenDevice, ErrorIsNotRememberedOnceTheDeviceWorks)
{
	const UniqueFd fd = open_file(broken(), O_RDONLY);

	device().fail_reads();
	EXPECT_EQ(read_error(fd, 0), EIO);
	EXPECT_EQ(read_error(fd, 500000), EIO);
	device().pass_reads();
	EXPECT_EQ(difference(broken(), file()), "");
}

TEST_P(BrokenDevice, StalledDoesNotDelayReadersOfOtherFilesAndPages)
{
	std::future<std::string> other_file;
	std::future<std::string> other_pages;
	warm_metadata();
	HeldReads held(device());
	{
		const UniqueFd fd = open_file(broken(), O_RDONLY);
		ASSERT_EQ(readahead(fd.get(), 0, 65536), 0);
	}
	if (device().reads_held() == 0 && !erofs_is_ours())
		GTEST_SKIP() << "nothing was read from the device";
	ASSERT_GT(device().reads_held(), 0U);

	other_file = read_healthy("deep/er/random1m");
	EXPECT_EQ(other_file.wait_for(kPatience), std::future_status::ready);
	// Behind what the stalled readahead can have reached.
	other_pages = std::async(std::launch::async, [this] {
		return difference(healthy(), file(), 786432);
	});
	EXPECT_EQ(other_pages.wait_for(kPatience), std::future_status::ready);

	EXPECT_GT(device().reads_held(), 0U);
	held.release();
	EXPECT_EQ(other_file.get(), "");
	EXPECT_EQ(other_pages.get(), "");
	EXPECT_EQ(difference(healthy(), file()), "");
}

INSTANTIATE_TEST_SUITE_P(Layouts, BrokenDevice,
			 testing::ValuesIn(faulty_cases()),
			 [](const auto &info) {
				 return case_name(info.param);
			 });

/// An image behind two devices: the upper one holds reads back, the lower one
/// then fails them.
class FailingLate : public ShareTest,
		    public testing::WithParamInterface<const char *> {};

TEST_P(FailingLate, ReadInFlightIsRepeatedByTheImageThatWaitsForIt)
{
	const FileSpec &file = find_tree("mix").file(kFile);
	DmDevice lower(images().find(GetParam()).disk());
	DmDevice upper(lower.path());
	if (const auto [plain, outcome] = try_mount_erofs(upper.path()); !plain)
		GTEST_SKIP() << outcome.text();
	const Mount broken = mount_erofs(upper.path(), sharing());
	const Mount healthy = mount_shared("enc-noinline");
	std::future<std::string> waiting;

	// The metadata stays cached, the contents do not.
	EXPECT_EQ(difference(broken.at(kFile), file), "");
	const UniqueFd fd = open_file(broken.at(kFile), O_RDONLY);
	ASSERT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
	HeldReads held(upper);
	ASSERT_EQ(readahead(fd.get(), 0, 65536), 0);
	ASSERT_GT(upper.reads_held(), 0U);

	waiting = std::async(std::launch::async, [&] {
		return difference(healthy.at(kFile), file);
	});
	EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(300)),
		  std::future_status::timeout)
		<< "it read pages that another image is reading";
	lower.fail_reads();
	held.release();
	EXPECT_EQ(waiting.get(), "");
	EXPECT_EQ(resident_pages(broken.at(kFile)),
		  total_pages(broken.at(kFile)));
}

INSTANTIATE_TEST_SUITE_P(Layouts, FailingLate,
			 testing::Values("enc-plain", "enc-chunk", "enc-lz4",
					 "enc-lzma", "enc-zstd",
					 "enc-fragments"),
			 [](const auto &info) {
				 return parameter_name(info.param);
			 });

} // namespace
} // namespace erofs_share
