// SPDX-License-Identifier: GPL-2.0-only
// O_DIRECT works where the stock module lets it, and is refused where that
// refuses it, at the same call.
#include "base/fd.h"
#include "support/fixture.h"

#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace erofs_share {
namespace {

constexpr std::size_t kLength = 1 << 16;

struct FreeMemory {
	void operator()(std::byte *memory) const
	{
		std::free(memory);
	}
};

/// How one O_DIRECT reading went: the errno of each call, and the bytes.
struct DirectReading {
	int open_error = 0;
	int read_error = 0;
	std::size_t got = 0;
	std::string difference;
};

DirectReading read_directly(const std::string &path, const FileSpec &file)
{
	DirectReading reading;
	const std::unique_ptr<std::byte, FreeMemory> memory(
		static_cast<std::byte *>(std::aligned_alloc(4096, kLength)));
	const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));

	if (!fd.valid()) {
		reading.open_error = errno;
		return reading;
	}
	const ssize_t got = pread(fd.get(), memory.get(), kLength, 4096);
	if (got < 0) {
		reading.read_error = errno;
		return reading;
	}
	reading.got = static_cast<std::size_t>(got);
	reading.difference =
		difference(std::span(memory.get(), reading.got), file, 4096);
	return reading;
}

class DirectIo : public ShareTest {
      protected:
	static constexpr const char *kBig = "deep/er/random1m";

	[[nodiscard]] static const FileSpec &big()
	{
		return find_tree("mix").file(kBig);
	}
	/// Reads directly through a plain and then a shared mount of @source.
	std::pair<DirectReading, DirectReading>
	plain_and_shared(const std::string &source)
	{
		std::pair<DirectReading, DirectReading> readings;
		{
			const Mount plain = mount_erofs(source);
			readings.first = read_directly(plain.at(kBig), big());
		}
		const Mount shared = mount_erofs(source, sharing());
		readings.second = read_directly(shared.at(kBig), big());
		return readings;
	}
	void expect_parity(const std::string &source)
	{
		const auto [plain, shared] = plain_and_shared(source);

		EXPECT_EQ(plain.open_error, shared.open_error);
		EXPECT_EQ(plain.read_error, shared.read_error);
		EXPECT_EQ(plain.got, shared.got);
		EXPECT_EQ(plain.difference, "");
		EXPECT_EQ(shared.difference, "");
	}
};

TEST_F(DirectIo, ReadsAnUncompressedImage)
{
	const Mount mount = mount_shared("enc-plain");
	const DirectReading reading = read_directly(mount.at(kBig), big());

	EXPECT_EQ(reading.open_error, 0);
	EXPECT_EQ(reading.read_error, 0);
	EXPECT_EQ(reading.got, kLength);
	EXPECT_EQ(reading.difference, "");
}

TEST_F(DirectIo, ReadingLeavesNothingInThePageCache)
{
	const Mount mount = mount_shared("enc-plain");

	EXPECT_EQ(read_directly(mount.at(kBig), big()).got, kLength);
	EXPECT_EQ(resident_pages(mount.at(kBig)), 0U);
}

TEST_F(DirectIo, ReadsAFileThatAnotherImageCached)
{
	const Mount a = mount_shared("enc-lz4");
	const Mount b = mount_shared("enc-plain");

	read_through(a.at(kBig));
	EXPECT_EQ(read_directly(b.at(kBig), big()).difference, "");
}

TEST_F(DirectIo, OpenOfACompressedFileFailsWithEinval)
{
	const Mount mount = mount_shared("enc-lz4");
	const FileSpec &text = find_tree("mix").file("deep/er/text1m");

	EXPECT_EQ(read_directly(mount.at(text.path), text).open_error, EINVAL);
}

TEST_F(DirectIo, OpenFailsWithEinvalAlsoWhenAPlainImageOfTheDomainCachedTheFile)
{
	const Mount plain = mount_shared("enc-plain");
	const Mount packed = mount_shared("enc-lz4");
	const FileSpec &text = find_tree("mix").file("deep/er/text1m");

	read_through(plain.at(text.path));
	EXPECT_EQ(read_directly(packed.at(text.path), text).open_error, EINVAL);
}

TEST_F(DirectIo, IsAsOnAPlainMountOfAnUncompressedDisk)
{
	expect_parity(images().find("enc-plain").disk());
}

TEST_F(DirectIo, IsAsOnAPlainMountOfAChunkBasedDisk)
{
	expect_parity(images().find("enc-chunk").disk());
}

TEST_F(DirectIo, IsAsOnAPlainMountOfACompressedDisk)
{
	expect_parity(images().find("enc-lz4").disk());
}

TEST_F(DirectIo, IsAsOnAPlainMountOfAnUncompressedFile)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	expect_parity(images().find("enc-plain").file());
}

} // namespace
} // namespace erofs_share
