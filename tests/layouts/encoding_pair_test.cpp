// SPDX-License-Identifier: GPL-2.0-only
// Two images in one domain that hold one tree have one copy of it in the page
// cache, and its bytes are right, however each image stores them, whatever its
// blocks' size and the device it is on, and whichever is read first.
#include "support/fixture.h"
#include "support/image_list.h"

namespace erofs_share {
namespace {

using testing::IsEmpty;
using testing::Not;

/// Expects that @mount has all of @tree in the page cache, with the right
/// bytes.
void expect_whole_copy(const Mount &mount, const Tree &tree)
{
	EXPECT_THAT(not_resident(mount.path(), tree), IsEmpty());
	EXPECT_THAT(wrong_files(mount.path(), tree), IsEmpty());
}

/// Whether @image has each file as one extent, which is cached as a whole.
bool caches_whole(const std::string &image)
{
	return image == "4k-allfragments";
}

/// Reads half of every file of @tree through @a, the front and the back half in
/// turn, and expects that @b then has the right bytes. None may be cached yet.
/// @part: expect that reading half of a file has not cached the whole of it.
void expect_halves_meet(const Mount &a, const Mount &b, const Tree &tree,
			bool part)
{
	bool back = false;

	for (const FileSpec &file : tree.files) {
		// The halves meet inside a page.
		const std::uint64_t half = file.size / 2 + 1;
		const std::uint64_t from = back ? half : 0;
		const std::uint64_t to = back ? file.size : half;

		EXPECT_EQ(difference(read_range(a.at(file.path), from, to),
				     file, from),
			  "");
		back = !back;
	}
	// Of a file that does not compress: others may be a single extent.
	if (part) {
		EXPECT_LT(resident_pages(b.at("random")),
			  total_pages(b.at("random")));
	}
	EXPECT_THAT(wrong_files(b.path(), tree), IsEmpty());
}

/// An image and all others of its family, in one domain.
class FirstEncoding : public ShareTest,
		      public testing::WithParamInterface<std::string> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({GetParam()});
		if (IsSkipped())
			return;
		first_ = mount_shared(GetParam());
		for (const std::string &name : family_of(GetParam()))
			if (name != GetParam() && can_mount(name))
				others_.emplace_back(name, mount_shared(name));
	}
	void TearDown() override
	{
		others_.clear();
		first_.reset();
		ShareTest::TearDown();
	}

	[[nodiscard]] const Mount &first() const
	{
		return first_.value();
	}
	/// The others, by name.
	[[nodiscard]] const std::vector<std::pair<std::string, Mount>> &
	others() const
	{
		return others_;
	}
	[[nodiscard]] static const Tree &tree()
	{
		return *images().find(GetParam()).tree;
	}

      private:
	std::optional<Mount> first_;
	std::vector<std::pair<std::string, Mount>> others_;
};

TEST_P(FirstEncoding, IsTheOneCopyForEveryOtherOfItsBlockSize)
{
	EXPECT_THAT(others(), Not(IsEmpty()));
	for (const auto &[name, other] : others())
		EXPECT_THAT(partly_resident(other.path(), tree()), IsEmpty());
	EXPECT_THAT(wrong_files(first().path(), tree()), IsEmpty());
	for (const auto &[name, other] : others()) {
		SCOPED_TRACE("then " + name);
		expect_whole_copy(other, tree());
	}
}

TEST_P(FirstEncoding, HalfOfItMeetsTheOtherHalfOfEveryOtherOfItsBlockSize)
{
	EXPECT_THAT(others(), Not(IsEmpty()));
	for (const auto &[name, other] : others()) {
		SCOPED_TRACE("then " + name);
		drop_caches(Drop::kPages);
		expect_halves_meet(first(), other, tree(),
				   !caches_whole(GetParam()));
	}
}

INSTANTIATE_TEST_SUITE_P(Layouts, FirstEncoding,
			 testing::ValuesIn(layout_images()),
			 [](const auto &info) {
				 return parameter_name(info.param);
			 });

/// Two images of one tree, in the order of reading.
struct Pair {
	std::string first;
	std::string second;
	Via first_via = Via::kDisk;
	Via second_via = Via::kDisk;
};

void PrintTo(const Pair &pair, std::ostream *out)
{
	*out << pair.first << " as " << via_name(pair.first_via) << ", then "
	     << pair.second << " as " << via_name(pair.second_via);
}

class EncodingPair : public ShareTest,
		     public testing::WithParamInterface<Pair> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({GetParam().first}, GetParam().first_via);
		need({GetParam().second}, GetParam().second_via);
	}
	Mount mount_first()
	{
		return mount_shared(GetParam().first, GetParam().first_via);
	}
	Mount mount_second()
	{
		return mount_shared(GetParam().second, GetParam().second_via);
	}
	[[nodiscard]] static const Tree &tree()
	{
		return *images().find(GetParam().first).tree;
	}
};

TEST_P(EncodingPair, HasOneCopyWithTheRightBytes)
{
	const Mount a = mount_first();
	const Mount b = mount_second();

	EXPECT_THAT(partly_resident(b.path(), tree()), IsEmpty());
	EXPECT_THAT(wrong_files(a.path(), tree()), IsEmpty());
	expect_whole_copy(b, tree());
}

TEST_P(EncodingPair, HalfOfTheFirstMeetsTheOtherHalfOfTheSecond)
{
	const Mount a = mount_first();
	const Mount b = mount_second();

	expect_halves_meet(a, b, tree(), !caches_whole(GetParam().first));
}

std::string test_name(const testing::TestParamInfo<Pair> &info)
{
	std::string name = info.param.first + "_then_" + info.param.second;

	if (info.param.first_via != Via::kDisk ||
	    info.param.second_via != Via::kDisk)
		name = info.param.first + "_as_" +
		       via_name(info.param.first_via) + "_then_" +
		       info.param.second + "_as_" +
		       via_name(info.param.second_via);
	return parameter_name(name);
}

/// Pairs of images with blocks of different sizes, in both orders.
std::vector<Pair> pairs_of_two_block_sizes()
{
	std::vector<Pair> pairs;
	const auto add = [&](const std::string &a, const std::string &b) {
		pairs.push_back({a, b});
		pairs.push_back({b, a});
	};

	add("512-plain", "4k-lz4");
	add("512-inline", "4k-inline");
	add("512-lz4", "2k-plain");
	add("512-chunk", "4k-fragments");
	add("512-blob", "4k-blob");
	add("512-zstd", "4k-plain");
	add("512-lz4", "4k-lz4");
	add("1k-inline", "4k-chunk64k");
	add("1k-lz4", "512-inline");
	add("1k-chunk", "2k-lz4");
	add("2k-fragments", "4k-allfragments");
	add("2k-chunk", "4k-zstd");
	return pairs;
}

/// Every pair of ways to give an image to the kernel.
std::vector<Pair> pairs_of_devices()
{
	std::vector<Pair> pairs;

	for (const Via first : {Via::kDisk, Via::kLoop, Via::kFile}) {
		for (const Via second : {Via::kDisk, Via::kLoop, Via::kFile}) {
			pairs.push_back({"4k-inline", "4k-lz4", first, second});
			pairs.push_back({"4k-lz4", "4k-blob", first, second});
			pairs.push_back(
				{"4k-blob", "4k-chunk64k", first, second});
		}
	}
	return pairs;
}

INSTANTIATE_TEST_SUITE_P(TwoBlockSizes, EncodingPair,
			 testing::ValuesIn(pairs_of_two_block_sizes()),
			 test_name);
INSTANTIATE_TEST_SUITE_P(Devices, EncodingPair,
			 testing::ValuesIn(pairs_of_devices()), test_name);

} // namespace
} // namespace erofs_share
