// SPDX-License-Identifier: GPL-2.0-only
// The read calls: read, pread, readv and preadv2, at every place of a file, and
// what reading takes of the machine's memory.
#include "base/fd.h"
#include "support/access_fixture.h"

#include <array>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using Bytes = std::vector<std::byte>;

/// preadv2 of @buffer.size() bytes. Returns its count, or minus the errno.
std::int64_t preadv2_at(int fd, std::span<std::byte> buffer,
			std::int64_t offset, int flags)
{
	const iovec part = {buffer.data(), buffer.size()};
	const ssize_t got = preadv2(fd, &part, 1, offset, flags);

	return got < 0 ? -errno : got;
}

class ReadPath : public AccessPath {
      protected:
	[[nodiscard]] UniqueFd open_a() const
	{
		return open_file(a().at(kCommon), O_RDONLY);
	}
	/// Reads kCommon of a() to its end with @step, which returns the bytes
	/// that it appended to what is there already, and checks all of it.
	void
	expect_content(const std::function<std::size_t(int, Bytes &)> &step)
	{
		const UniqueFd fd = open_a();
		Bytes bytes;

		while (step(fd.get(), bytes) > 0)
			;
		EXPECT_EQ(bytes.size(), kCommonBytes);
		EXPECT_EQ(difference(bytes, content()), "");
	}
};

TEST_P(ReadPath, ReadGivesTheBytesAndOneCopy)
{
	expect_content([](int fd, Bytes &bytes) {
		Bytes part(7777);
		const ssize_t got = read(fd, part.data(), part.size());

		EXPECT_GE(got, 0) << errno_name(errno);
		bytes.insert(bytes.end(), part.begin(),
			     part.begin() + std::max<ssize_t>(got, 0));
		return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
	});
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(ReadPath, PreadGivesTheBytesAndOneCopy)
{
	const UniqueFd fd = open_a();
	Bytes bytes(5000);

	// Backwards, and across pages, so that nothing is read ahead in order.
	for (std::int64_t at = kCommonBytes - 5000; at >= 0; at -= 70000) {
		ASSERT_EQ(pread(fd.get(), bytes.data(), bytes.size(), at),
			  5000);
		EXPECT_EQ(difference(bytes, content(),
				     static_cast<std::uint64_t>(at)),
			  "");
	}
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(ReadPath, ReadvGivesTheBytesAndOneCopy)
{
	expect_content([](int fd, Bytes &bytes) {
		Bytes first(1000);
		Bytes second(9000);
		const std::array<iovec, 2> parts = {
			{{first.data(), first.size()},
			 {second.data(), second.size()}}};
		const ssize_t got = readv(fd, parts.data(), 2);

		EXPECT_GE(got, 0) << errno_name(errno);
		first.insert(first.end(), second.begin(), second.end());
		bytes.insert(bytes.end(), first.begin(),
			     first.begin() + std::max<ssize_t>(got, 0));
		return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
	});
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(ReadPath, Preadv2WithoutFlagsGivesTheBytesAndOneCopy)
{
	const UniqueFd fd = open_a();
	Bytes bytes(kCommonBytes);

	EXPECT_EQ(preadv2_at(fd.get(), bytes, 0, 0),
		  std::int64_t{kCommonBytes});
	EXPECT_EQ(difference(bytes, content()), "");
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(ReadPath, NowaitReadOfACachedFileIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const std::string path = mount + "/" + kCommon;
		Bytes bytes(kCommonBytes);

		read_through(path);
		const UniqueFd fd = open_file(path, O_RDONLY);
		const std::int64_t got =
			preadv2_at(fd.get(), bytes, 0, RWF_NOWAIT);
		if (got > 0) {
			EXPECT_EQ(difference(bytes, content()), "");
		}
		return Observations{
			{"hot", got < 0 ? errno_name(static_cast<int>(-got))
					: std::to_string(got)}};
	});
}

TEST_P(ReadPath, NowaitReadOfAnUncachedFileIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		Bytes bytes(4096);
		const std::int64_t got =
			preadv2_at(fd.get(), bytes, 0, RWF_NOWAIT);

		// Where it is supported, the disk may win the race or lose it.
		return Observations{{"cold", got == -EOPNOTSUPP ? "EOPNOTSUPP"
								: "supported"}};
	});
}

TEST_P(ReadPath, NowaitReadFindsWhatTheOtherImageCached)
{
	const UniqueFd fd = open_file(b().at(kCommon), O_RDONLY);
	Bytes bytes(kCommonBytes);

	read_through(a().at(kCommon));
	const std::int64_t got = preadv2_at(fd.get(), bytes, 0, RWF_NOWAIT);
	if (got == -EOPNOTSUPP)
		GTEST_SKIP() << "this kernel's erofs has no RWF_NOWAIT";
	if (shared()) {
		EXPECT_EQ(got, std::int64_t{kCommonBytes});
		EXPECT_EQ(difference(bytes, content()), "");
	}
}

TEST_P(ReadPath, ReadsAtAndBeyondTheEndAreEmpty)
{
	const UniqueFd fd = open_a();
	Bytes bytes(8192, std::byte{0x5a});

	EXPECT_EQ(pread(fd.get(), bytes.data(), 8192, kCommonBytes), 0);
	EXPECT_EQ(pread(fd.get(), bytes.data(), 8192, kCommonBytes + 1), 0);
	EXPECT_EQ(pread(fd.get(), bytes.data(), 8192, 1L << 40), 0);
	EXPECT_EQ(bytes, Bytes(8192, std::byte{0x5a}));
}

TEST_P(ReadPath, ReadAcrossTheEndStopsThereAndLeavesTheBufferBehindIt)
{
	const UniqueFd fd = open_a();
	Bytes bytes(4096, std::byte{0x5a});

	EXPECT_EQ(pread(fd.get(), bytes.data(), 4096, kCommonBytes - 100), 100);
	EXPECT_EQ(difference(std::span(bytes).first(100), content(),
			     kCommonBytes - 100),
		  "");
	EXPECT_EQ(Bytes(bytes.begin() + 100, bytes.end()),
		  Bytes(3996, std::byte{0x5a}));
}

TEST_P(ReadPath, ReadOfNoBytesReadsNothingIn)
{
	const UniqueFd fd = open_a();
	std::byte byte{};

	EXPECT_EQ(pread(fd.get(), &byte, 0, 0), 0);
	EXPECT_EQ(preadv2_at(fd.get(), {}, 0, 0), 0);
	EXPECT_EQ(resident_pages(a().at(kCommon)), 0U);
	EXPECT_EQ(resident_pages(b().at(kCommon)), 0U);
}

TEST_P(ReadPath, TwoOpensHaveTheirOwnPositions)
{
	const UniqueFd first = open_a();
	const UniqueFd second = open_file(b().at(kCommon), O_RDONLY);
	Bytes bytes(10000);

	EXPECT_EQ(read(first.get(), bytes.data(), 10000), 10000);
	EXPECT_EQ(read(second.get(), bytes.data(), 5000), 5000);
	EXPECT_EQ(lseek(first.get(), 0, SEEK_CUR), 10000);
	EXPECT_EQ(lseek(second.get(), 0, SEEK_CUR), 5000);
	EXPECT_EQ(read(first.get(), bytes.data(), 10000), 10000);
	EXPECT_EQ(difference(bytes, content(), 10000), "");
}

INSTANTIATE_ON_BOTH_PAIRS(ReadPath);

/// The same on a file that is large enough to show in /proc/meminfo.
class MeminfoPath : public AccessPath {};

TEST_P(MeminfoPath, ReadingTheOtherImageGrowsThePageCacheOnlyWithoutSharing)
{
	read_through(a().at("dup64m"));
	const auto before = static_cast<std::int64_t>(cached_bytes());
	read_through(b().at("dup64m"));
	const std::int64_t growth =
		static_cast<std::int64_t>(cached_bytes()) - before;

	if (shared()) {
		EXPECT_LT(growth, kSlack);
	} else {
		EXPECT_GT(growth, kBigBytes - kSlack);
	}
}

INSTANTIATE_ON_BOTH_PAIRS(MeminfoPath);

} // namespace
} // namespace erofs_share
