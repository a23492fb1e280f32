// SPDX-License-Identifier: GPL-2.0-only
// Fingerprints that are missing or no good leave their file unshared, and
// readable.
#include "base/proc.h"
#include "support/fixture.h"

namespace erofs_share {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class Fingerprint : public ShareTest {
      protected:
	/// Whether @file of hostile-a is one copy with that of hostile-b; the
	/// bytes have to be right either way.
	bool shares(const std::string &file)
	{
		const Mount a = mount_shared("hostile-a");
		const Mount b = mount_shared("hostile-b");

		EXPECT_EQ(difference(a.at(file),
				     find_tree("hostile-a").file(file)),
			  "");
		const std::uint64_t resident = resident_pages(b.at(file));
		EXPECT_EQ(difference(b.at(file),
				     find_tree("hostile-b").file(file)),
			  "");
		EXPECT_EQ(difference(a.at(file),
				     find_tree("hostile-a").file(file)),
			  "");
		return resident != 0;
	}
};

TEST_F(Fingerprint, ReadyMadeFingerprintShares)
{
	EXPECT_TRUE(shares("good"));
}

TEST_F(Fingerprint, FileWithoutFingerprintIsNotShared)
{
	EXPECT_FALSE(shares("missing"));
}

TEST_F(Fingerprint, FileWithAnEmptyFingerprintIsNotShared)
{
	EXPECT_FALSE(shares("empty-fingerprint"));
}

TEST_F(Fingerprint, FileWithAFingerprintOf256BytesShares)
{
	EXPECT_TRUE(shares("longest"));
}

TEST_F(Fingerprint, FileWithAFingerprintOf257BytesIsNotShared)
{
	if (!erofs_is_ours())
		GTEST_SKIP() << "256 bytes are this module's own limit";
	EXPECT_FALSE(shares("over-long"));
	EXPECT_FALSE(shares("over-long-too"));
}

TEST_F(Fingerprint, EqualFingerprintsOfFilesOfDifferentSizeDoNotShare)
{
	EXPECT_FALSE(shares("size-clash"));
}

TEST_F(Fingerprint, AnAttributeThatComesBeforeItIsNotTakenForIt)
{
	EXPECT_FALSE(shares("equal-before"));
}

TEST_F(Fingerprint, ItIsFoundBehindAnotherAttribute)
{
	EXPECT_TRUE(shares("differs-before"));
}

TEST_F(Fingerprint, ImageWithoutFingerprintsMountsWithSharingOffAndSaysSo)
{
	KernelLog log;
	const Mount mount = mount_shared("no-fingerprint");

	EXPECT_FALSE(shows_inode_share(mount.path()));
	EXPECT_THAT(log.read_new(), Contains(AllOf(HasSubstr("erofs"),
						   HasSubstr("inode_share"))));
	EXPECT_THAT(wrong_files(mount.path(),
				*images().find("no-fingerprint").tree),
		    IsEmpty());
}

TEST_F(Fingerprint, ImageWithoutFingerprintsSharesNothing)
{
	const Tree &tree = *images().find("no-fingerprint").tree;
	const Mount a = mount_shared("enc-plain");
	const Mount b = mount_shared("no-fingerprint");

	read_tree(a.path(), tree);
	EXPECT_THAT(partly_resident(b.path(), tree), IsEmpty());
}

} // namespace
} // namespace erofs_share
