// SPDX-License-Identifier: GPL-2.0-only
// What erofs-share status says of one mount and of one file, for each reason
// that a file can have not to share.
#include "base/child.h"
#include "base/error.h"
#include "support/fixture.h"
#include "support/mount_helper_fixture.h"
#include "tool/status_path.h"

#include <unistd.h>

namespace erofs_share {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char *kCommon = "/small/300001.text";

class StatusPath : public ShareTest {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (!IsSkipped() && !erofs_is_ours())
			GTEST_SKIP() << "only our module counts what is shared";
	}
};

TEST_F(StatusPath, AFileSharesFromTheSecondQuestionOn)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const std::string file = a.path() + kCommon;

	const PathStatus first = read_path_status(file);
	EXPECT_EQ(first.sharing, Sharing::kNeverOpened);
	EXPECT_THAT(first.with, ElementsAre(b.path()));
	const PathStatus second = read_path_status(file);
	EXPECT_EQ(second.sharing, Sharing::kShares);
	EXPECT_THAT(second.with, ElementsAre(b.path()));
	EXPECT_EQ(second.source, images().find("dup-a").disk());
	EXPECT_EQ(second.elsewhere, 0U);
	EXPECT_TRUE(second.domain);
}

TEST_F(StatusPath, AFileThatWasReadShares)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_through(b.path() + kCommon);
	EXPECT_EQ(read_path_status(b.path() + kCommon).sharing,
		  Sharing::kShares);
}

TEST_F(StatusPath, OtherDomainsAreCountedAndShareNothing)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_image(images().find("dup-b"), Via::kDisk,
				    MountOptions::sharing(DomainId::random()));

	const PathStatus file = read_path_status(a.path() + kCommon);
	EXPECT_EQ(file.sharing, Sharing::kOtherDomain);
	EXPECT_EQ(file.elsewhere, 1U);
	EXPECT_THAT(file.with, IsEmpty());
	EXPECT_EQ(read_path_status(a.path()).sharing, Sharing::kOtherDomain);
}

TEST_F(StatusPath, AloneAFileSharesWithNobody)
{
	const Mount a = mount_shared("dup-a");

	EXPECT_EQ(read_path_status(a.path() + kCommon).sharing,
		  Sharing::kAlone);
	EXPECT_EQ(read_path_status(a.path()).sharing, Sharing::kAlone);
}

TEST_F(StatusPath, AMountSharesWhenOneOfItsFilesWasOpened)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	EXPECT_EQ(read_path_status(a.path()).sharing, Sharing::kNeverOpened);
	read_through(a.path() + kCommon);
	const PathStatus status = read_path_status(a.path());
	EXPECT_EQ(status.sharing, Sharing::kShares);
	EXPECT_FALSE(status.is_file);
	EXPECT_THAT(status.with, ElementsAre(b.path()));
}

TEST_F(StatusPath, FingerprintsThatCannotBeUsedAreTold)
{
	const Mount a = mount_shared("hostile-a");
	const Mount b = mount_shared("hostile-b");

	EXPECT_EQ(read_path_status(a.at("missing")).sharing, Sharing::kMissing);
	EXPECT_EQ(read_path_status(a.at("empty-fingerprint")).sharing,
		  Sharing::kUnusable);
	EXPECT_EQ(read_path_status(a.at("over-long")).sharing,
		  Sharing::kUnusable);
	read_through(a.at("differs-before"));
	EXPECT_EQ(read_path_status(a.at("differs-before")).sharing,
		  Sharing::kShares);
	// Another fingerprint, and the same with another size.
	EXPECT_EQ(read_path_status(a.at("equal-before")).sharing,
		  Sharing::kAlone);
	EXPECT_EQ(read_path_status(a.at("size-clash")).sharing,
		  Sharing::kAlone);
}

TEST_F(StatusPath, WithoutTheOptionOrFingerprintsThatIsTheReason)
{
	const Mount plain = mount_erofs(images().find("dup-a").disk());
	const Mount bare = mount_shared("no-fingerprint");

	for (const char *below : {"", kCommon}) {
		EXPECT_EQ(read_path_status(plain.path() + below).sharing,
			  Sharing::kNoOption);
	}
	EXPECT_EQ(read_path_status(bare.path()).sharing,
		  Sharing::kNoFingerprints);
}

TEST_F(StatusPath, OtherFileSystemsAreNamed)
{
	const PathStatus status = read_path_status("/proc/version");

	EXPECT_EQ(status.sharing, Sharing::kNotErofs);
	EXPECT_EQ(status.detail, "proc");
}

TEST_F(StatusPath, AnOrdinaryUserHearsThatThereIsTheOption)
{
	const Mount a = mount_shared("dup-a");

	EXPECT_EQ(run_in_child([&]() -> std::string {
			  if (setuid(1000) != 0)
				  throw_errno("setuid");
			  const PathStatus status = read_path_status(a.path());

			  return status.sharing == Sharing::kUnknown &&
						 status.detail.find(
							 "only root may ask") !=
							 std::string::npos
					 ? ""
					 : status.detail;
		  }),
		  "");
}

TEST_F(StatusPath, TheCommandEndsWithTheAnswer)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const std::string file = a.path() + kCommon;
	const std::vector<std::string> ask = {"/bin/erofs-share", "status",
					      file};

	EXPECT_THAT(run(ask), Prints(1, HasSubstr("did not share yet")));
	EXPECT_THAT(run(ask),
		    Prints(0, HasSubstr(": shares, with 1 other mount.\n    " +
					b.path() + "\n")));
}

} // namespace
} // namespace erofs_share
