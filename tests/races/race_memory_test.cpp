// SPDX-License-Identifier: GPL-2.0-only
// Memory that goes while others use it: real inodes that are evicted while
// their shared pages are mapped, and readers that the OOM killer ends in the
// middle of a read.
#include "base/mapped_file.h"
#include "machine/dm_device.h"
#include "machine/oom_reader.h"
#include "support/fixture.h"

#include <atomic>
#include <csignal>
#include <sys/mman.h>
#include <thread>

namespace erofs_share {
namespace {

constexpr const char *kBig = "dup64m";

const FileSpec &big_file()
{
	return find_tree("dup-a").file(kBig);
}

/// Runs @body over and over in a thread until this goes out of scope.
class Meanwhile {
      public:
	explicit Meanwhile(std::function<void()> body)
	    : thread_([this, body = std::move(body)] {
		      while (!stop_)
			      body();
	      })
	{
	}
	Meanwhile(const Meanwhile &) = delete;
	Meanwhile &operator=(const Meanwhile &) = delete;
	Meanwhile(Meanwhile &&) = delete;
	Meanwhile &operator=(Meanwhile &&) = delete;
	~Meanwhile()
	{
		stop_ = true;
		thread_.join();
	}

      private:
	std::atomic<bool> stop_ = false;
	std::thread thread_;
};

class EvictionRace : public ShareTest {
      protected:
	/// Looks at a different megabyte of @mapped each time, and lets go of
	/// half of it. Returns "" or what was wrong.
	static std::string look(std::span<const std::byte> mapped, int turn)
	{
		constexpr std::size_t kPart = 1 << 20;
		const std::size_t at =
			static_cast<std::size_t>(turn) * kPart % mapped.size();
		const auto part = mapped.subspan(at, kPart);

		std::string wrong = difference(part, big_file(), at);
		if (turn % 2 == 0)
			madvise(const_cast<std::byte *>(part.data()),
				part.size(), MADV_DONTNEED);
		return wrong;
	}
};

TEST_F(EvictionRace, RealInodesGoWhileTheirSharedPagesAreMapped)
{
	constexpr int kTurns = 40;
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const MappedFile mapped(b.at(kBig), MAP_SHARED);
	const Meanwhile evict([] { drop_caches(Drop::kSlab); });
	const Meanwhile read([&] {
		// Opened, read and closed: the real inode can go at once.
		difference(a.at(kBig), big_file(), 0, 1 << 20);
	});

	for (int turn = 0; turn < kTurns; turn++)
		ASSERT_EQ(look(mapped.bytes(), turn), "") << "turn " << turn;
}

TEST_F(EvictionRace, ImagesComeAndGoWhileTheirSharedPagesAreMapped)
{
	constexpr int kTurns = 40;
	const Mount b = mount_shared("dup-b");
	const MappedFile mapped(b.at(kBig), MAP_PRIVATE);
	std::atomic<int> mounts = 0;
	const Meanwhile remount([&] {
		const Mount a = mount_shared("dup-a");

		difference(a.at(kBig), big_file(), 0, 1 << 20);
		mounts++;
	});
	const Meanwhile evict([] { drop_caches(Drop::kPages); });

	for (int turn = 0; turn < kTurns; turn++)
		ASSERT_EQ(look(mapped.bytes(), turn), "") << "turn " << turn;
	EXPECT_GT(mounts, 1);
}

class OomRace : public ShareTest {
      protected:
	/// Lets the OOM killer end a reader of @path.
	static void kill_a_reader(const std::string &path)
	{
		const OomResult result = read_until_oom_kill(path);

		EXPECT_EQ(result.status, 128 + SIGKILL);
		EXPECT_GT(result.kills, 0U);
	}
};

TEST_F(OomRace, ReaderKilledInAReadLeavesRightPagesAndNoReference)
{
	constexpr int kRounds = 6;

	for (const auto &[first, second] :
	     {std::pair("dup-a", "dup-b"),
	      std::pair("text-a-lz4", "text-b-lz4")}) {
		Mount a = mount_shared(first);
		Mount b = mount_shared(second);
		const FileSpec &file =
			find_tree(std::string(first) == "dup-a" ? "dup-a"
								: "text-a")
				.file(kBig);

		for (int round = 0; round < kRounds; round++) {
			kill_a_reader(a.at(kBig));
			EXPECT_EQ(difference(b.at(kBig), file, 0, 4 << 20), "");
			EXPECT_EQ(difference(a.at(kBig), file, 0, 4 << 20), "");
		}
		EXPECT_EQ(a.try_unmount(), 0);
		EXPECT_EQ(b.try_unmount(), 0);
	}
}

TEST_F(OomRace, ReaderKilledWhileItsDeviceIsSlowLeavesAFileThatReadsRight)
{
	DmDevice device(images().find("dup-a").disk());
	Mount slow = mount_erofs(device.path(), sharing());
	const Mount other = mount_shared("dup-b");
	// Metadata and the file's start are cached, the rest has to wait.
	EXPECT_EQ(difference(slow.at(kBig), big_file(), 0, 1 << 20), "");
	{
		const HeldReads held(device);

		kill_a_reader(slow.at(kBig));
		EXPECT_GT(device.reads_held(), 0U);
	}
	EXPECT_EQ(difference(other.at(kBig), big_file()), "");
	EXPECT_EQ(resident_pages(slow.at(kBig)), kBigPages);
	EXPECT_EQ(slow.try_unmount(), 0);
}

} // namespace
} // namespace erofs_share
