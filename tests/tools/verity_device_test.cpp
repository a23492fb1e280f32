// SPDX-License-Identifier: GPL-2.0-only
// Images under dm-verity: the mount helper lets them share with each other, and
// not with images whose bytes nobody checked, though all name one file with an
// id.
#include "content/verity_device.h"
#include "support/mount_helper_fixture.h"

#include "base/fd.h"
#include "base/proc.h"
#include "os/loop_device.h"

#include <fcntl.h>
#include <gcrypt.h>

namespace erofs_share {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

/// A file of the tree "mix".
constexpr const char *kCommon = "deep/er/text1m";
/// A file of the tree "facets".
constexpr const char *kFacet = "text";

/// Whether reading @name at @a puts it into the page cache of @b.
bool shared_between(const MountPoint &a, const MountPoint &b,
		    const std::string &name)
{
	read_through(a.path() + "/" + name);
	return resident_pages(b.path() + "/" + name) ==
	       total_pages(a.path() + "/" + name);
}

/// The id of the domain for verity devices, by another library than the
/// helper's own code.
DomainId verity_id(const DomainId &id)
{
	static constexpr std::string_view kPurpose =
		"erofs-share dm-verity domain v1";
	const DomainId::Revealed key = id.reveal();
	std::string text;
	gcry_md_hd_t hash = nullptr;

	gcry_check_version(nullptr);
	gcry_md_open(&hash, GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC);
	gcry_md_setkey(hash, key.view().data(), key.view().size());
	gcry_md_write(hash, kPurpose.data(), kPurpose.size());
	for (const unsigned char byte :
	     std::span(gcry_md_read(hash, GCRY_MD_SHA256), 32)) {
		text += "0123456789abcdef"[byte >> 4];
		text += "0123456789abcdef"[byte & 15];
	}
	gcry_md_close(hash);
	return DomainId(text);
}

class VerityDeviceTest : public MountHelper {
      protected:
	void SetUp() override
	{
		MountHelper::SetUp();
		if (!IsSkipped() && !has_dm_target("verity"))
			GTEST_SKIP() << "this kernel has no dm-verity";
	}
	/// Mounts @source with the id file of all images.
	void mount(const std::string &source, const MountPoint &target,
		   const std::string &more = "")
	{
		EXPECT_THAT(mount8(options() + more, source, target.path()),
			    Prints(0, ""));
		EXPECT_TRUE(shows_inode_share(target.path()));
	}
};

TEST_F(VerityDeviceTest, ADeviceRefusesBytesThatWereChanged)
{
	const TemporaryFile copy(images().find("enc-plain").file());
	const LoopDevice lower(copy.path());
	const VerityDevice device(lower.path());
	std::vector<std::byte> block(4096);
	const UniqueFd raw = open_file(copy.path(), O_RDWR);

	ASSERT_EQ(pread(raw.get(), block.data(), block.size(), 8192), 4096);
	block[7] ^= std::byte{1};
	ASSERT_EQ(pwrite(raw.get(), block.data(), block.size(), 8192), 4096);
	drop_caches(Drop::kPages);
	const UniqueFd fd = open_file(device.path(), O_RDONLY);
	EXPECT_EQ(pread(fd.get(), block.data(), block.size(), 0), 4096);
	EXPECT_EQ(pread(fd.get(), block.data(), block.size(), 8192), -1);
	EXPECT_EQ(errno, EIO);
}

TEST_F(VerityDeviceTest, TwoDevicesShare)
{
	const VerityDevice a(images().find("enc-plain").disk());
	const VerityDevice b(images().find("enc-lz4").disk());
	const MountPoint at_a;
	const MountPoint at_b;

	mount(a.path(), at_a);
	mount(b.path(), at_b);
	EXPECT_TRUE(shared_between(at_a, at_b, kCommon));
	EXPECT_THAT(wrong_files(at_b.path(), find_tree("mix")), IsEmpty());
}

TEST_F(VerityDeviceTest, ADeviceGetsNothingOfAnImageWithout)
{
	const VerityDevice a(images().find("enc-plain").disk());
	const MountPoint at_a;
	const MountPoint plain;

	mount(a.path(), at_a);
	mount(images().find("enc-lz4").disk(), plain);
	read_through(plain.path() + "/" + kCommon);
	EXPECT_EQ(resident_pages(at_a.path() + "/" + kCommon), 0U);
}

TEST_F(VerityDeviceTest, ADeviceGivesNothingToAnImageWithout)
{
	const VerityDevice a(images().find("enc-plain").disk());
	const MountPoint at_a;
	const MountPoint plain;

	mount(images().find("enc-lz4").disk(), plain);
	mount(a.path(), at_a);
	read_through(at_a.path() + "/" + kCommon);
	EXPECT_EQ(resident_pages(plain.path() + "/" + kCommon), 0U);
}

TEST_F(VerityDeviceTest, TheDomainIsThatOfAnIdDerivedFromTheFile)
{
	const VerityDevice a(images().find("enc-plain").disk());
	const MountPoint at_a;

	mount(a.path(), at_a);
	const Mount other = mount_erofs(
		images().find("enc-lz4").disk(),
		MountOptions::sharing(verity_id(domain())), MountApi::kMount);
	read_through(at_a.path() + "/" + kCommon);
	EXPECT_EQ(resident_pages(other.at(kCommon)),
		  total_pages(at_a.path() + "/" + kCommon));
}

TEST_F(VerityDeviceTest, APlainDeviceWithDataMakesTheImageAPlainOne)
{
	const Image &image = images().find("4k-blob");
	const VerityDevice a(image.disk());
	const MountPoint at_a;
	const MountPoint plain;

	mount(a.path(), at_a, ",device=" + image.blob_disk());
	mount(images().find("4k-plain").disk(), plain);
	EXPECT_TRUE(shared_between(at_a, plain, kFacet));
}

TEST_F(VerityDeviceTest, DataOnAVerityDeviceKeepsTheImageApart)
{
	const Image &image = images().find("4k-blob");
	const VerityDevice a(image.disk());
	const VerityDevice blob(image.blob_disk());
	const VerityDevice b(images().find("4k-plain").disk());
	const MountPoint at_a;
	const MountPoint at_b;
	const MountPoint plain;

	mount(a.path(), at_a, ",device=" + blob.path());
	mount(images().find("4k-lz4").disk(), plain);
	mount(b.path(), at_b);
	EXPECT_FALSE(shared_between(plain, at_a, kFacet));
	EXPECT_TRUE(shared_between(at_a, at_b, kFacet));
}

TEST_F(VerityDeviceTest, VerboseSaysThatItIsAnotherDomain)
{
	const VerityDevice a(images().find("enc-plain").disk());
	const MountPoint target;
	const ProgramResult result =
		run({"/bin/mount", "-v", "-t", "erofs-share", "-o", options(),
		     a.path(), target.path()});

	EXPECT_EQ(result.status, 0);
	EXPECT_THAT(result.output, HasSubstr(", for dm-verity devices)"));
	EXPECT_FALSE(reveals(result.output));
}

TEST_F(VerityDeviceTest, ARemountMayNameTheFile)
{
	const Image &image = images().find("4k-blob");
	const VerityDevice a(images().find("enc-plain").disk());
	const VerityDevice b(image.disk());
	const MountPoint at_a;
	const MountPoint partly;

	mount(a.path(), at_a);
	mount(b.path(), partly, ",device=" + image.blob_disk());
	for (const MountPoint *target : {&at_a, &partly}) {
		EXPECT_THAT(mount8(options() + ",remount,noexec", a.path(),
				   target->path()),
			    Prints(0, ""));
		EXPECT_THAT(shown_options(target->path()), Contains("noexec"));
	}
	const IdFile other(DomainId::random());
	EXPECT_THAT(mount8("domain_id_file=" + other.path() + ",remount,exec",
			   a.path(), at_a.path()),
		    Prints(32, HasSubstr("domain")));
	EXPECT_THAT(shown_options(at_a.path()), Contains("noexec"));
}

} // namespace
} // namespace erofs_share
