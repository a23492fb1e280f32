// SPDX-License-Identifier: GPL-2.0-only
// Mounting and remounting when memory runs out at each place where it can: the
// mount fails or shares, nothing stays of a failed one, and the next one works.
#include "support/fault_fixture.h"

#include "base/fd.h"

#include <cerrno>

namespace erofs_share {
namespace {

/// Which allocations of a mount fail.
enum class Whose {
	kErofs,	 ///< what is allocated on behalf of a function of erofs
	kKernel, ///< all of the system call's
};

struct MountCase {
	FaultCase image;
	MountApi api = MountApi::kFsopen;
	bool joins = false; ///< a domain that has a member already
	Whose whose = Whose::kErofs;
};

std::string mount_case_name(const MountCase &which)
{
	return case_name(which.image) +
	       (which.api == MountApi::kMount ? "_mount" : "_fsopen") +
	       (which.joins ? "_joins" : "_first") +
	       (which.whose == Whose::kKernel ? "_all" : "");
}

class FaultyMount : public FaultTest,
		    public testing::WithParamInterface<MountCase> {
      protected:
	void SetUp() override
	{
		FaultTest::SetUp();
		need({GetParam().image.image}, GetParam().image.via);
		if (IsSkipped())
			return;

		const Image &image = images().find(GetParam().image.image);
		const bool file = GetParam().image.via == Via::kFile;
		options_ = sharing();
		if (image.has_blob)
			options_.extra.push_back(
				"device=" +
				(file ? image.blob_file() : image.blob_disk()));
		source_ = file ? image.file() : image.disk();
	}

	/// Faults as the parameter asks for them.
	static FaultInjection injection()
	{
		return FaultInjection(FaultKind::kMemory,
				      GetParam().whose == Whose::kErofs
					      ? CodeRange::of_module("erofs")
					      : CodeRange::all());
	}
	/// What a mount may come back with. In the whole kernel the making of
	/// the mount point counts, and a tmpfs that gets no inode says ENOSPC.
	static std::vector<int> expected_errors()
	{
		if (GetParam().whose == Whose::kErofs)
			return {ENOMEM};
		return {ENOMEM, ENOSPC};
	}
	/// A mount of the image that shares.
	[[nodiscard]] Mount mount_again() const
	{
		return mount_erofs(source_, options_, GetParam().api);
	}
	/// Expects @mount to be in the domain, where @member, if there is one,
	/// has read the file.
	static void expect_shares(const Mount &mount,
				  const std::optional<Mount> &member)
	{
		const std::string path = mount.at(kFaultFile);

		EXPECT_TRUE(shows_inode_share(mount.path()));
		if (member) {
			EXPECT_EQ(resident_pages(path), total_pages(path));
		}
		EXPECT_EQ(difference(path, fault_file()), "");
	}
	/// Mounts with @fault, and once more without. Returns the errno.
	int mount_with(NthFault &fault, const std::optional<Mount> &member)
	{
		const std::set<std::string> held = held_by_erofs();
		std::optional<Mount> mounted;
		const int error = fault.during([&] {
			auto [mount, outcome] = try_mount_erofs(
				source_, options_, GetParam().api);
			mounted = std::move(mount);
			return outcome.error;
		});

		if (mounted)
			expect_shares(*mounted, member);
		mounted.reset();
		EXPECT_EQ(held_by_erofs(), held) << "after a mount that came "
						    "back with errno "
						 << error;
		expect_shares(mount_again(), member);
		return error;
	}

	MountOptions options_;
	std::string source_;
};

TEST_P(FaultyMount, FailsOrSharesAndTheNextOneWorks)
{
	const FaultInjection faults = injection();
	std::optional<Mount> member;

	if (GetParam().joins) {
		member.emplace(mount_other_than(GetParam().image));
		read_through(member->at(kFaultFile));
	}
	const FaultTally tally = fail_each(
		[&](NthFault &fault) { return mount_with(fault, member); });
	EXPECT_THAT(tally, OnlyFailsWith(expected_errors()));
	EXPECT_GT(tally.errors(), 0U);
	record("mount", tally);
	if (member) {
		EXPECT_EQ(difference(member->at(kFaultFile), fault_file()), "");
	}
}

class FaultyRemount : public FaultyMount {};

TEST_P(FaultyRemount, FailsOrSucceedsAndChangesNothing)
{
	const FaultInjection faults = injection();
	const Mount mount = mount_again();
	const std::optional<Mount> member = mount_other_than(GetParam().image);

	read_through(member->at(kFaultFile));
	const FaultTally tally = fail_each([&](NthFault &fault) {
		const int error = fault.during([&] {
			return mount.remount(options_, GetParam().api).error;
		});

		expect_shares(mount, member);
		EXPECT_THAT(mount.remount(options_, GetParam().api),
			    Succeeds());
		return error;
	});
	EXPECT_THAT(tally, OnlyFailsWith(errors({ENOMEM})));
	EXPECT_GT(tally.errors(), 0U);
	record("remount", tally);
}

std::string mount_test_name(const testing::TestParamInfo<MountCase> &info)
{
	return mount_case_name(info.param);
}

constexpr MountApi kFsopen = MountApi::kFsopen;
constexpr MountApi kMount = MountApi::kMount;

INSTANTIATE_TEST_SUITE_P(
	Slice, FaultyMount,
	testing::Values(MountCase{{"4k-inline"}, kFsopen, false},
			MountCase{{"4k-fragments"}, kMount, false},
			MountCase{{"4k-zstd"}, kMount, true},
			MountCase{{"4k-blob"}, kFsopen, true}),
	mount_test_name);

INSTANTIATE_TEST_SUITE_P(
	Rest, FaultyMount,
	testing::Values(
		MountCase{{"4k-inline"}, kFsopen, false, Whose::kKernel},
		MountCase{{"4k-inline"}, kMount, false, Whose::kKernel},
		MountCase{{"4k-fragments"}, kFsopen, true, Whose::kKernel},
		MountCase{{"4k-blob"}, kMount, false},
		MountCase{{"4k-lz4", Via::kFile}, kFsopen, true},
		MountCase{{"4k-lzma"}, kFsopen, false},
		MountCase{{"4k-deflate"}, kFsopen, false},
		MountCase{{"4k-inline", Via::kFile}, kMount, false},
		MountCase{{"4k-blob", Via::kFile}, kFsopen, false}),
	mount_test_name);

INSTANTIATE_TEST_SUITE_P(Slice, FaultyRemount,
			 testing::Values(MountCase{{"4k-inline"}, kFsopen},
					 MountCase{{"4k-inline"}, kMount}),
			 mount_test_name);

INSTANTIATE_TEST_SUITE_P(
	Rest, FaultyRemount,
	testing::Values(
		MountCase{{"4k-fragments"}, kFsopen, false, Whose::kKernel},
		MountCase{{"4k-fragments"}, kMount, false, Whose::kKernel}),
	mount_test_name);

} // namespace
} // namespace erofs_share
