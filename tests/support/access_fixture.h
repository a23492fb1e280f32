// SPDX-License-Identifier: GPL-2.0-only
// What the tests of access paths stand on: two images with files in common,
// mounted with sharing or without. Each test runs both ways, so that it shows
// its reading of the page cache can tell one copy from two, and that users see
// the same of both.
#pragma once

#include "support/fixture.h"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace erofs_share {

enum class Sharing { kOff, kOn };

/// Two images, and how they are mounted.
struct AccessCase {
	Sharing sharing = Sharing::kOff;
	const char *first = "dup-a";
	const char *second = "dup-b";
};

/// A file that both images of the pairs have: 74 pages, the last one partly
/// used and stored inline where the image is uncompressed.
inline constexpr const char *kCommon = "small/300001.text";
inline constexpr std::uint64_t kCommonBytes = 300001;
inline constexpr std::uint64_t kCommonPages = 74;

/// What a user saw: names and values. The same on every run, so no addresses,
/// device numbers or times.
using Observations = std::map<std::string, std::string>;

/// A test on two images, mounted at a() and b(). With sharing they are in one
/// domain that only this test knows; without, they have no options.
class AccessPath : public ErofsTest,
		   public testing::WithParamInterface<AccessCase> {
      protected:
	void SetUp() override;
	void TearDown() override;

	[[nodiscard]] static bool shared()
	{
		return GetParam().sharing == Sharing::kOn;
	}
	[[nodiscard]] const Mount &a() const
	{
		return a_.value();
	}
	[[nodiscard]] const Mount &b() const
	{
		return b_.value();
	}
	/// The first mount, for tests that unmount it.
	[[nodiscard]] Mount &take_a()
	{
		return a_.value();
	}
	/// Unmounts both, which something lets go of with a delay. The test
	/// fails when that does not happen soon().
	void unmount_soon();
	/// The options that a() and b() are mounted with.
	[[nodiscard]] const MountOptions &options() const
	{
		return options_;
	}
	/// The bytes of kCommon, or of another file, in both images.
	[[nodiscard]] static const FileSpec &
	content(const std::string &file = kCommon);

	/// What is cached of @file is there for both images: checks that
	/// mincore(2) sees the same pages of both, and some, and that
	/// cachestat(2) agrees, unless it is blind to shared files, which is
	/// AdvicePath's to tell. Without sharing: that a() alone has any.
	void expect_one_copy(const std::string &file = kCommon) const;
	/// The same after the rest of @file was read through b(), which must
	/// add no second copy of what a() had read.
	void expect_rest_adds_no_copy(const std::string &file = kCommon) const;

	/// Keeps @value for the comparison of kernels: a property of this test
	/// in the report, "observed_@what".
	static void observe(const std::string &what, const std::string &value);
	static void observe(const std::string &what, std::int64_t value);

	/// Lets @look tell what it sees of the first image, on the mount whose
	/// path it is given, and keeps that. With sharing, first lets it look
	/// at a mount without options, and expects the same. Mounts anew: not
	/// for tests that hold files of a() open.
	void expect_as_stock(
		const std::function<Observations(const std::string &)> &look);

      private:
	MountOptions options_;
	std::optional<Mount> a_;
	std::optional<Mount> b_;
};

/// "plain" or "shared", the last part of the test's name.
std::string sharing_name(const testing::TestParamInfo<AccessCase> &info);

/// Asks @question until the answer is yes, for what the kernel tells nobody
/// about. Returns false when it is still no after 10 s.
bool soon(const std::function<bool()> &question);

/// Waits until reading ahead, which tells nobody when it is done, has brought
/// in at least @pages of the file at @path. Returns whether it did soon().
bool wait_until_resident(const std::string &path, std::uint64_t pages);

/// The name of errno @error as an observation, such as "EBUSY"; "0" for none.
std::string errno_name(int error);

/// Waits until nothing of the file at @path is being read ahead: until all
/// pages that cachestat(2) counts have come or, on kernels without it, until no
/// page has come for half a second. Returns whether that was soon().
bool wait_for_read_ahead(const std::string &path);

} // namespace erofs_share

/// Instantiates @suite for the uncompressed pair of images.
#define INSTANTIATE_ON_PLAIN_IMAGES(suite)                                     \
	INSTANTIATE_TEST_SUITE_P(                                              \
		Uncompressed, suite,                                           \
		testing::Values(AccessCase{Sharing::kOff, "dup-a", "dup-b"},   \
				AccessCase{Sharing::kOn, "dup-a", "dup-b"}),   \
		sharing_name)

/// Instantiates @suite for the uncompressed and for a compressed pair.
#define INSTANTIATE_ON_BOTH_PAIRS(suite)                                       \
	INSTANTIATE_ON_PLAIN_IMAGES(suite);                                    \
	INSTANTIATE_TEST_SUITE_P(                                              \
		Lz4, suite,                                                    \
		testing::Values(                                               \
			AccessCase{Sharing::kOff, "text-a-lz4", "text-b-lz4"}, \
			AccessCase{Sharing::kOn, "text-a-lz4", "text-b-lz4"}), \
		sharing_name)
