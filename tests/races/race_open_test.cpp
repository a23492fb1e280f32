// SPDX-License-Identifier: GPL-2.0-only
// First opens of one file through many images at once end up in one shared
// inode, whoever comes first.
#include "base/fd.h"
#include "support/fixture.h"

#include <barrier>
#include <fcntl.h>
#include <thread>

namespace erofs_share {
namespace {

constexpr std::size_t kMounts = 16;
/// Threads at each mount: real inodes are raced for as well.
constexpr std::size_t kThreads = 2;
constexpr int kRounds = 15;

/// Sixteen mounts of the tree "mix" in one domain, each a superblock of its
/// own, in all encodings that the running kernel knows.
class OpenRace : public ShareTest {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (IsSkipped())
			return;
		std::vector<std::string> names;
		for (const char *name :
		     {"enc-plain", "enc-noinline", "enc-chunk", "enc-lz4",
		      "enc-lz4hc", "enc-zstd", "enc-lzma", "enc-fragments"})
			if (can_mount(name))
				names.emplace_back(name);
		for (std::size_t i = 0; i < kMounts; i++)
			mounts_.push_back(mount_shared(names[i % names.size()],
						       Via::kLoop));
	}

	void TearDown() override
	{
		mounts_.clear();
		ShareTest::TearDown();
	}

	/// Opens @file through all mounts at the same time and reads its first
	/// byte. Returns what went wrong.
	std::vector<std::string> open_at_once(const FileSpec &file)
	{
		constexpr std::size_t kAll = kMounts * kThreads;
		std::vector<std::string> wrong(kAll);
		std::vector<std::thread> threads;
		std::barrier start(static_cast<std::ptrdiff_t>(kAll));

		for (std::size_t i = 0; i < kAll; i++)
			threads.emplace_back([&, i] {
				const std::string path =
					mounts_[i % kMounts].at(file.path);

				start.arrive_and_wait();
				try {
					wrong[i] = difference(path, file, 0, 1);
				} catch (const std::exception &error) {
					wrong[i] = error.what();
				}
			});
		for (std::thread &thread : threads)
			thread.join();
		return wrong;
	}

	/// Mounts through which the pages of @file cannot be seen when one of
	/// them has read it.
	std::vector<std::size_t> mounts_apart(const FileSpec &file)
	{
		std::vector<std::size_t> apart;

		// Each of the opens has read something: it must not count.
		drop_caches(Drop::kPages);
		read_through(mounts_[0].at(file.path));
		for (std::size_t i = 0; i < mounts_.size(); i++) {
			const std::string path = mounts_[i].at(file.path);

			if (resident_pages(path) != total_pages(path))
				apart.push_back(i);
		}
		return apart;
	}

	std::vector<Mount> mounts_;
};

TEST_F(OpenRace, FirstOpensThroughSixteenImagesYieldOneSharedInode)
{
	const Tree &tree = find_tree("mix");

	for (int round = 0; round < kRounds; round++) {
		const FileSpec &file =
			tree.files[static_cast<std::size_t>(round) %
				   tree.files.size()];

		if (file.size == 0)
			continue;
		// Neither real inodes nor the shared one are left.
		drop_caches(Drop::kAll);
		for (const std::string &wrong : open_at_once(file))
			EXPECT_EQ(wrong, "");
		EXPECT_THAT(mounts_apart(file), testing::IsEmpty())
			<< file.path << " in round " << round;
		if (HasFailure())
			return;
	}
}

TEST_F(OpenRace, FirstOpensWhileTheSharedInodeIsReclaimedYieldOneSharedInode)
{
	const FileSpec &file = find_tree("mix").file("twin1");

	for (int round = 0; round < kRounds; round++) {
		std::thread reclaim([] { drop_caches(Drop::kAll); });

		for (const std::string &wrong : open_at_once(file))
			EXPECT_EQ(wrong, "");
		reclaim.join();
		EXPECT_THAT(mounts_apart(file), testing::IsEmpty())
			<< "in round " << round;
		if (HasFailure())
			return;
	}
}

} // namespace
} // namespace erofs_share
