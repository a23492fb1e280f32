// SPDX-License-Identifier: GPL-2.0-only
// Nobody reads another file's bytes, whatever attributes a file has: each image
// of harness/content/fingerprint_cases.h beside an honest one that has the
// files which forged or stale values name, and beside itself. A file shares
// exactly when it has one fingerprint.
#include "base/error.h"
#include "content/fingerprint_cases.h"
#include "support/case_image.h"
#include "support/fixture.h"

#include <algorithm>
#include <array>
#include <set>

namespace erofs_share {

namespace {

using testing::IsEmpty;

const FileSpec &spec(const std::string &name)
{
	return find_tree(kCaseTree).file(name);
}

/// What is wrong with the bytes of the file at @path, which are to be those of
/// @name in the tree.
std::string reads_as(const std::string &path, const std::string &name)
{
	return difference(path, spec(name));
}

class FingerprintRule : public ShareTest,
			public testing::WithParamInterface<FingerprintCase> {
      protected:
	Mount mount(const std::string &name)
	{
		return mount_case(case_file(name), sharing());
	}
	Mount mount()
	{
		return mount(GetParam().name);
	}
	/// Whether the file is to be one copy with another that has the same
	/// one fingerprint.
	static bool shares()
	{
		return GetParam().verdict == CaseVerdict::kOne;
	}
};

TEST_P(FingerprintRule, ReadFirstItKeepsItsBytesToItself)
{
	const Mount honest = mount("honest");
	const Mount one = mount();

	EXPECT_EQ(reads_as(one.at(kCaseFile), "own"), "");
	for (const char *other : {"low", "high"}) {
		EXPECT_EQ(resident_pages(honest.at(other)), 0) << other;
		EXPECT_EQ(reads_as(honest.at(other), other), "");
	}
	EXPECT_EQ(resident_pages(honest.at("own")) != 0,
		  shares() && GetParam().honest);
	EXPECT_EQ(reads_as(honest.at("own"), "own"), "");
}

TEST_P(FingerprintRule, ReadLastItReadsItsOwnBytes)
{
	const Mount honest = mount("honest");
	const Mount one = mount();

	for (const char *other : {"low", "high"})
		EXPECT_EQ(reads_as(honest.at(other), other), "");
	EXPECT_EQ(resident_pages(one.at(kCaseFile)), 0);
	EXPECT_EQ(reads_as(honest.at("own"), "own"), "");
	EXPECT_EQ(resident_pages(one.at(kCaseFile)) != 0,
		  shares() && GetParam().honest);
	EXPECT_EQ(reads_as(one.at(kCaseFile), "own"), "");
}

TEST_P(FingerprintRule, BesideItsTwinItSharesWhenItHasOneFingerprint)
{
	const Mount one = mount();
	const Mount twin = mount();

	EXPECT_EQ(reads_as(one.at(kCaseFile), "own"), "");
	EXPECT_EQ(resident_pages(twin.at(kCaseFile)),
		  shares() ? total_pages(twin.at(kCaseFile)) : 0);
	EXPECT_EQ(reads_as(twin.at(kCaseFile), "own"), "");
	EXPECT_EQ(reads_as(one.at(kCaseFile), "own"), "");
}

INSTANTIATE_TEST_SUITE_P(Cases, FingerprintRule,
			 testing::ValuesIn(fingerprint_cases()),
			 [](const auto &info) {
				 return parameter_name(info.param.name);
			 });

class FingerprintCases : public testing::Test {};

TEST_F(FingerprintCases, HaveEachVerdictAndEachNameOnce)
{
	std::array<std::size_t, 4> count{};
	std::set<std::string> names;

	for (const FingerprintCase &one : fingerprint_cases()) {
		count[static_cast<std::size_t>(one.verdict)]++;
		EXPECT_TRUE(names.insert(one.name).second) << one.name;
	}
	EXPECT_THAT(count, testing::Each(testing::Ge(4U)));
}

/// Images of mkfs.erofs in modes that lose fingerprints, or give none.
class ImagesOfImages : public ShareTest {
      protected:
	static const Tree &tree()
	{
		return find_tree(kCaseTree);
	}
	/// The layers of a merged image, as mkfs.erofs numbers its devices.
	Mount merged(const std::string &form)
	{
		return mount_case(case_file("merged-" + form), sharing(),
				  {case_file("layer-2-" + form),
				   case_file("layer-1-" + form)});
	}
};

TEST_F(ImagesOfImages, MergedLayersKeepTheNamedForm)
{
	const Mount honest = mount_case(case_file("honest"), sharing());
	const Mount one = merged("named");

	EXPECT_THAT(wrong_files(one.path(), tree()), IsEmpty());
	EXPECT_EQ(reads_as(one.at(kCaseFile), "own"), "");
	EXPECT_THAT(not_resident(honest.path(), tree()), IsEmpty());
	EXPECT_THAT(wrong_files(honest.path(), tree()), IsEmpty());
}

TEST_F(ImagesOfImages, MergedLayersLoseTheHiddenFormAndShareNothing)
{
	const Mount honest = mount_case(case_file("honest"), sharing());
	const Mount one = merged("hidden");

	EXPECT_THAT(wrong_files(one.path(), tree()), IsEmpty());
	EXPECT_EQ(reads_as(one.at(kCaseFile), "own"), "");
	EXPECT_THAT(partly_resident(honest.path(), tree()), IsEmpty());
	EXPECT_THAT(wrong_files(honest.path(), tree()), IsEmpty());
}

TEST_F(ImagesOfImages, AnIndexOfAnArchiveHasNoFingerprintsAndSharesNothing)
{
	const Mount full = mount_case(case_file("full"), sharing());
	const Mount index = mount_case(case_file("index"), sharing(),
				       {"/images/cases/index.tar"});

	EXPECT_EQ(reads_as(index.at(kCaseFile), "own"), "");
	EXPECT_EQ(resident_pages(full.at(kCaseFile)), 0);
	EXPECT_EQ(reads_as(full.at(kCaseFile), "own"), "");
}

} // namespace

void PrintTo(const FingerprintCase &one, std::ostream *out)
{
	*out << one.name << ": " << case_verdict_name(one.verdict);
}

} // namespace erofs_share
