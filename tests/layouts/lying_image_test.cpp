// SPDX-License-Identifier: GPL-2.0-only
// Images that lie: a file that carries the fingerprint of another one. Within a
// domain that is trusted, as Documentation/inode_share.rst says: whose page was
// read first is what all of the domain read. Not further: no other domain, and
// no file of another size.
#include "support/fixture.h"

#include "base/error.h"
#include "fuzz/mutator.h"
#include "os/loop_device.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace erofs_share {

namespace {

constexpr const char *kFingerprint = "trusted.erofs.fingerprint";
/// Two files of one size with other contents, and one of another size.
constexpr const char *kLiar = "text-start";
constexpr const char *kVictim = "random";
constexpr const char *kLonger = "text";

using Bytes = std::vector<std::byte>;

Bytes fingerprint_of(const std::string &path)
{
	Bytes value(256);
	const ssize_t length = getxattr(path.c_str(), kFingerprint,
					value.data(), value.size());

	if (length < 0)
		throw_errno("getxattr " + path);
	value.resize(static_cast<std::size_t>(length));
	return value;
}

/// A copy of an image in which kLiar has the fingerprint of another file.
class LyingImage {
      public:
	LyingImage(const Image &image, const std::string &claims)
	{
		const Mount sound = mount_image(image, Via::kDisk);
		const Bytes own = fingerprint_of(sound.at(kLiar));
		const Bytes other = fingerprint_of(sound.at(claims));
		const UniqueFd from = open_file(image.file(), O_RDONLY);
		Bytes bytes(std::filesystem::file_size(image.file()));

		read_at(from.get(), bytes, 0, image.file());
		auto at = std::search(bytes.begin(), bytes.end(), own.begin(),
				      own.end());
		if (own.size() != other.size() || at == bytes.end())
			throw_error(EINVAL, "no fingerprint of " +
						    std::string(kLiar) +
						    " in " + image.file());
		std::copy(other.begin(), other.end(), at);
		// It may lie in the superblock's block.
		mend_checksum(bytes);
		write_all(open_file(kPath, O_WRONLY | O_CREAT | O_TRUNC, 0600)
				  .get(),
			  bytes, kPath);
		loop_.emplace(kPath, LoopIo::kBuffered);
		if (image.has_blob)
			blob_.emplace(image.blob_file());
	}

	[[nodiscard]] Mount mount(MountOptions options) const
	{
		if (blob_)
			options.extra.push_back("device=" + blob_->path());
		return mount_erofs(loop_->path(), options);
	}

      private:
	static constexpr const char *kPath = "/run/lying.erofs";

	std::optional<LoopDevice> loop_;
	std::optional<LoopDevice> blob_;
};

class LyingImageTest : public ShareTest,
		       public testing::WithParamInterface<const char *> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({GetParam()});
	}

	/// What is wrong with the file at @path, if it is to read as @file of
	/// the tree.
	static std::string reads_as(const std::string &path,
				    const std::string &file)
	{
		return difference(path, find_tree("facets").file(file));
	}
};

TEST_P(LyingImageTest, WhoReadsAPageFirstDecidesForItsDomain)
{
	const LyingImage lying(images().find(GetParam()), kVictim);

	{
		const Mount honest = mount_shared(GetParam());
		const Mount liar = lying.mount(sharing());

		EXPECT_EQ(reads_as(honest.at(kVictim), kVictim), "");
		EXPECT_EQ(reads_as(liar.at(kLiar), kVictim), "")
			<< "the honest image was first";
		EXPECT_EQ(reads_as(honest.at(kVictim), kVictim), "");
	}
	const Mount honest = mount_shared(GetParam());
	const Mount liar = lying.mount(sharing());

	EXPECT_EQ(reads_as(liar.at(kLiar), kLiar), "");
	EXPECT_EQ(reads_as(honest.at(kVictim), kLiar), "")
		<< "the lying image was first";
	// What carries its own fingerprint is not touched.
	EXPECT_EQ(reads_as(honest.at(kLiar), kLiar), "");
	EXPECT_EQ(reads_as(honest.at(kLonger), kLonger), "");
}

TEST_P(LyingImageTest, NobodyOutsideOfItsDomainReadsWhatItSays)
{
	const LyingImage lying(images().find(GetParam()), kVictim);
	const Mount liar = lying.mount(sharing());

	EXPECT_EQ(reads_as(liar.at(kLiar), kLiar), "");
	{
		const Mount other =
			mount_image(images().find(GetParam()), Via::kDisk,
				    MountOptions::sharing(DomainId::random()));

		EXPECT_EQ(reads_as(other.at(kVictim), kVictim), "");
	}
	const Mount plain =
		mount_image(images().find(GetParam()), Via::kDisk, {});

	EXPECT_EQ(reads_as(plain.at(kVictim), kVictim), "");
}

TEST_P(LyingImageTest, AFileOfAnotherSizeIsNotTakenForTheOneItClaimsToBe)
{
	const LyingImage lying(images().find(GetParam()), kLonger);

	{
		const Mount honest = mount_shared(GetParam());
		const Mount liar = lying.mount(sharing());

		EXPECT_EQ(reads_as(honest.at(kLonger), kLonger), "");
		EXPECT_EQ(reads_as(liar.at(kLiar), kLiar), "");
	}
	const Mount honest = mount_shared(GetParam());
	const Mount liar = lying.mount(sharing());

	EXPECT_EQ(reads_as(liar.at(kLiar), kLiar), "");
	EXPECT_EQ(reads_as(honest.at(kLonger), kLonger), "");
}

// Each layout, and each algorithm.
INSTANTIATE_TEST_SUITE_P(
	Layouts, LyingImageTest,
	testing::Values("4k-inline", "4k-plain", "4k-extended", "4k-chunk4k",
			"4k-chunk1m", "4k-indexes", "4k-blob", "4k-lz4",
			"4k-lz4hc", "4k-lzma", "4k-deflate", "4k-zstd",
			"4k-big64k", "4k-ztailpacking", "4k-fragments",
			"4k-allfragments", "4k-dedupe", "2k-chunk", "1k-inline",
			"1k-lz4", "512-inline", "512-chunk", "512-zstd"),
	[](const testing::TestParamInfo<const char *> &info) {
		return parameter_name(info.param);
	});

} // namespace

} // namespace erofs_share
