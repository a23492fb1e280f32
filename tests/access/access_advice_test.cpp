// SPDX-License-Identifier: GPL-2.0-only
// Advice and what acts on the cache: posix_fadvise, readahead, madvise, mlock,
// and mincore on parts of a file.
#include "base/error.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "support/access_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace erofs_share {
namespace {

/// The start of a mapping, for calls that take a writable pointer and only
/// read.
void *start_of(const MappedFile &mapped)
{
	return const_cast<std::byte *>(mapped.bytes().data());
}

/// Pages that are in the cache or on their way, where the kernel can tell.
std::string pages_on_their_way(const std::string &path)
{
	const auto pages = cachestat_pages(path);

	return pages ? std::to_string(*pages) : "unknown";
}

/// Drops all caches, once what is on its way of @path has come: pages that are
/// being read cannot be dropped.
void start_cold(const std::string &path)
{
	EXPECT_TRUE(wait_for_read_ahead(path)) << "reading ahead does not end";
	drop_caches(Drop::kAll);
	EXPECT_EQ(resident_pages(path), 0U);
}

class AdvicePath : public AccessPath {
      protected:
	/// @advise is told a path, starts reading it in and returns the errno.
	/// Checks that pages come, and that they are the one copy.
	void
	expect_reads_in(const std::function<int(const std::string &)> &advise)
	{
		const std::string path = a().at(kCommon);
		const int error = advise(path);

		observe("error", errno_name(error));
		EXPECT_EQ(error, 0);
		EXPECT_TRUE(wait_until_resident(path, 1));
		expect_one_copy();
		expect_rest_adds_no_copy();
		EXPECT_EQ(difference(path, content()), "");
	}
};

TEST_P(AdvicePath, FadviseWillneedReadsInOneCopy)
{
	expect_reads_in([](const std::string &path) {
		const UniqueFd fd = open_file(path, O_RDONLY);

		return posix_fadvise(fd.get(), 0, 0, POSIX_FADV_WILLNEED);
	});
}

TEST_P(AdvicePath, ReadaheadReadsInOneCopy)
{
	expect_reads_in([](const std::string &path) {
		const UniqueFd fd = open_file(path, O_RDONLY);

		return readahead(fd.get(), 0, kCommonBytes) == 0 ? 0 : errno;
	});
}

TEST_P(AdvicePath, MadviseWillneedReadsInOneCopy)
{
	expect_reads_in([](const std::string &path) {
		const MappedFile mapped(path, MAP_SHARED);

		return madvise(start_of(mapped), mapped.bytes().size(),
			       MADV_WILLNEED) == 0
			       ? 0
			       : errno;
	});
}

TEST_P(AdvicePath, FadviseDontneedDropsTheCopy)
{
	const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);

	read_through(a().at(kCommon));
	ASSERT_EQ(resident_pages(a().at(kCommon)), kCommonPages);
	EXPECT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
	EXPECT_EQ(resident_pages(a().at(kCommon)), 0U);
	EXPECT_EQ(resident_pages(b().at(kCommon)), 0U);
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
	EXPECT_EQ(difference(a().at(kCommon), content()), "");
}

TEST_P(AdvicePath, FadviseDontneedKeepsWhatIsMappedThroughTheOtherImage)
{
	const MappedFile mapped(b().at(kCommon), MAP_SHARED);
	const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);

	EXPECT_EQ(difference(mapped.bytes(), content()), "");
	EXPECT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
	EXPECT_EQ(resident_pages(b().at(kCommon)), kCommonPages);
	EXPECT_EQ(difference(mapped.bytes(), content()), "");
}

TEST_P(AdvicePath, AnswersToEveryAdviceAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		Observations seen;

		for (int advice = 0; advice < 8; advice++)
			seen["fadvise_" + std::to_string(advice)] = errno_name(
				posix_fadvise(fd.get(), 0, 4096, advice));
		EXPECT_EQ(difference(mount + "/" + kCommon, content()), "");
		return seen;
	});
}

TEST_P(AdvicePath, MadvisePopulateReadMapsOneCopy)
{
	// Not in Debian 12's headers.
	constexpr int kPopulateRead = 22;
	{
		const MappedFile mapped(a().at(kCommon), MAP_SHARED);

		if (madvise(start_of(mapped), mapped.bytes().size(),
			    kPopulateRead) != 0) {
			ASSERT_EQ(errno, EINVAL);
			GTEST_SKIP() << "this kernel has no MADV_POPULATE_READ";
		}
		EXPECT_EQ(resident_pages(a().at(kCommon)), kCommonPages);
		expect_one_copy();
		EXPECT_EQ(difference(mapped.bytes(), content()), "");
	}
	expect_rest_adds_no_copy();
}

TEST_P(AdvicePath, MadviseColdKeepsTheBytesAndTheCopy)
{
	const MappedFile mapped(a().at(kCommon), MAP_SHARED);

	EXPECT_EQ(difference(mapped.bytes(), content()), "");
	EXPECT_EQ(madvise(start_of(mapped), mapped.bytes().size(), MADV_COLD),
		  0);
	EXPECT_EQ(resident_pages(a().at(kCommon)), kCommonPages);
	expect_one_copy();
	EXPECT_EQ(difference(mapped.bytes(), content()), "");
}

TEST_P(AdvicePath, MadviseDontneedLetsGoOfTheMappingAndKeepsTheCopy)
{
	const MappedFile mapped(a().at(kCommon), MAP_SHARED);

	EXPECT_EQ(difference(mapped.bytes(), content()), "");
	EXPECT_EQ(
		madvise(start_of(mapped), mapped.bytes().size(), MADV_DONTNEED),
		0);
	EXPECT_EQ(resident_pages(a().at(kCommon)), kCommonPages);
	EXPECT_EQ(difference(mapped.bytes(), content()), "");
	expect_one_copy();
}

TEST_P(AdvicePath, LockedPagesStayForBothImagesUntilUnlocked)
{
	const MappedFile mapped(a().at(kCommon), MAP_SHARED);

	ASSERT_EQ(mlock(mapped.bytes().data(), mapped.bytes().size()), 0)
		<< errno_name(errno);
	EXPECT_EQ(resident_pages(a().at(kCommon)), kCommonPages);
	drop_caches(Drop::kAll);
	EXPECT_EQ(resident_pages(a().at(kCommon)), kCommonPages);
	expect_one_copy();
	ASSERT_EQ(munlock(mapped.bytes().data(), mapped.bytes().size()), 0);
	EXPECT_EQ(difference(mapped.bytes(), content()), "");
}

TEST_P(AdvicePath, DroppedCacheIsReadBackThroughEitherImage)
{
	read_through(a().at(kCommon));
	drop_caches(Drop::kPages);
	EXPECT_EQ(resident_pages(a().at(kCommon)), 0U);
	EXPECT_EQ(resident_pages(b().at(kCommon)), 0U);
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
	EXPECT_EQ(difference(a().at(kCommon), content()), "");
}

TEST_P(AdvicePath, RandomAccessReadsInOnlyWhatIsAskedAndItIsOneCopy)
{
	const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);
	std::vector<std::byte> page(4096);

	ASSERT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM), 0);
	for (const std::uint64_t at : {7, 31, 50}) {
		ASSERT_EQ(read_at(fd.get(), page, at * 4096, kCommon), 4096U);
		EXPECT_EQ(difference(page, content(), at * 4096), "");
	}
	EXPECT_LT(resident_pages(a().at(kCommon)), kCommonPages);
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(AdvicePath, CachestatCountsTheOneCopy)
{
	if (!cachestat_pages(a().at(kCommon)))
		GTEST_SKIP() << "this kernel has no cachestat(2)";
	read_through(a().at(kCommon));
	EXPECT_EQ(cachestat_pages(a().at(kCommon)), kCommonPages);
	EXPECT_EQ(cachestat_pages(b().at(kCommon)),
		  shared() ? kCommonPages : 0);
}

TEST_P(AdvicePath, AmountReadAheadOfABigFileIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const std::string path = mount + "/dup64m";
		const UniqueFd fd = open_file(path, O_RDONLY);
		std::vector<std::byte> page(4096);
		Observations seen;

		read_at(fd.get(), page, 0, path);
		seen["first_page"] = pages_on_their_way(path);
		start_cold(path);
		posix_fadvise(fd.get(), 0, 0, POSIX_FADV_WILLNEED);
		seen["fadvise"] = pages_on_their_way(path);
		start_cold(path);
		readahead(fd.get(), 1 << 20, 2 << 20);
		seen["readahead"] = pages_on_their_way(path);
		start_cold(path);
		return seen;
	});
}

INSTANTIATE_ON_BOTH_PAIRS(AdvicePath);

} // namespace
} // namespace erofs_share
