// SPDX-License-Identifier: GPL-2.0-only
// What erofs-share estimate and check say of images is what the kernel then
// does with them.
#include "support/fixture.h"
#include "tool/check_image.h"
#include "tool/estimate.h"
#include "tool/status.h"

namespace erofs_share {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Page cache that reading all of two images takes, without the compressed
/// data that the module would keep for itself.
std::int64_t cost_of_reading(const std::string &first,
			     const std::string &second, MountOptions options)
{
	const Image &a = images().find(first);
	const Image &b = images().find(second);

	options.extra.emplace_back("cache_strategy=disabled");
	drop_caches(Drop::kAll);
	const Mount mount_a = mount_erofs(a.disk(), options);
	const Mount mount_b = mount_erofs(b.disk(), options);
	const auto before = static_cast<std::int64_t>(cached_bytes());
	read_tree(mount_a.path(), *a.tree);
	read_tree(mount_b.path(), *b.tree);
	return static_cast<std::int64_t>(cached_bytes()) - before;
}

class EstimateTest : public ImagePair {};

TEST_P(EstimateTest, IsWhatSharingSaves)
{
	const auto [first, second] = GetParam();
	const Estimate estimate =
		estimate_sharing({read_source(images().find(first).file()),
				  read_source(images().find(second).file())},
				 10);
	const std::int64_t saved = cost_of_reading(first, second, {}) -
				   cost_of_reading(first, second, sharing());
	const auto said = static_cast<std::int64_t>(estimate.saved_bytes());

	RecordProperty("estimated_bytes", std::to_string(said));
	RecordProperty("measured_bytes", std::to_string(saved));
	EXPECT_GT(said, 0);
	EXPECT_LE(std::abs(saved - said), said / 100)
		<< "estimated " << said << ", measured " << saved;
}

TEST_P(EstimateTest, IsWhatTheCountersSayWhenAllIsRead)
{
	if (!erofs_is_ours())
		GTEST_SKIP() << "only our module counts what is shared";
	const Image &a = images().find(GetParam().first);
	const Image &b = images().find(GetParam().second);
	const Estimate estimate = estimate_sharing(
		{read_source(a.file()), read_source(b.file())}, 10);
	const Mount mount_a = mount_erofs(a.disk(), sharing());
	const Mount mount_b = mount_erofs(b.disk(), sharing());

	read_tree(mount_a.path(), *a.tree);
	read_tree(mount_b.path(), *b.tree);
	const Status status = read_status();
	ASSERT_EQ(status.domains.size(), 1U);
	EXPECT_EQ(status.domains[0].saved_bytes, estimate.saved_bytes());
	EXPECT_EQ(status.domains[0].resident_bytes, estimate.shared_bytes);
}

INSTANTIATE_TEST_SUITE_P(Pairs, EstimateTest,
			 testing::Values(std::pair("dup-a", "dup-b"),
					 std::pair("many-plain", "many-lz4"),
					 std::pair("enc-plain", "enc-zstd"),
					 std::pair("text-a-lz4", "text-b-lz4")),
			 [](const auto &info) {
				 return parameter_name(
					 std::string(info.param.first) + "_" +
					 info.param.second);
			 });

/// Images of which check reads the contents through the kernel: there is no
/// fsck.erofs in the guest.
class CheckTest : public ErofsTest {
      protected:
	static ImageCheck check(const std::string &name)
	{
		const Image &image = images().find(name);
		std::vector<std::string> devices;

		if (image.has_blob)
			devices.push_back(image.blob_file());
		return check_image(image.file(), devices);
	}
};

TEST_F(CheckTest, FindsRightFingerprints)
{
	for (const char *name : {"enc-plain", "enc-lz4", "4k-blob",
				 "4k-indexes", "4k-fragments"}) {
		if (!can_mount(name))
			continue;
		const ImageCheck result = check(name);

		EXPECT_EQ(result.attribute, "trusted.erofs.fingerprint")
			<< name;
		EXPECT_GT(result.files, 0U) << name;
		EXPECT_THAT(result.missing, IsEmpty()) << name;
		EXPECT_THAT(result.wrong, IsEmpty()) << name;
	}
}

TEST_F(CheckTest, FindsFingerprintsThatLieOrAreNotThere)
{
	need({"hostile-a"});
	if (IsSkipped())
		return;
	const ImageCheck result = check("hostile-a");

	EXPECT_EQ(result.attribute, "user.fingerprint");
	EXPECT_THAT(result.missing, UnorderedElementsAre("missing"));
	EXPECT_THAT(result.unusable,
		    UnorderedElementsAre("empty-fingerprint", "over-long",
					 "over-long-too"));
	EXPECT_THAT(result.wrong,
		    UnorderedElementsAre("good", "longest", "size-clash",
					 "equal-before", "differs-before"));
	EXPECT_FALSE(result.right());
}

TEST_F(CheckTest, FindsAnImageWithoutFingerprints)
{
	const ImageCheck result = check("no-fingerprint");

	EXPECT_EQ(result.attribute, std::nullopt);
	EXPECT_FALSE(result.right());
}

} // namespace
} // namespace erofs_share
