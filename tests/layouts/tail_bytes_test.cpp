// SPDX-License-Identifier: GPL-2.0-only
// Behind the end of a file its last page is zero, for every mount of a domain,
// whatever an image has there and however the page was read first: a
// fingerprint says nothing about those bytes.
#include "base/error.h"
#include "base/mapped_file.h"
#include "content/image_map.h"
#include "support/case_image.h"
#include "support/fixture.h"
#include "support/image_list.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <ranges>
#include <sys/mman.h>
#include <thread>
#include <tuple>

namespace erofs_share {

namespace {

using testing::IsEmpty;

constexpr std::size_t kPage = 4096;
constexpr std::byte kForeign{0xe5};
constexpr const char *kPatched = "/run/patched.erofs";

const Tree &facets()
{
	return find_tree("facets");
}

/// How a file gets into the page cache.
enum class Way { kRead, kMap, kReadahead };

std::string way_name(Way way)
{
	switch (way) {
	case Way::kRead:
		return "read";
	case Way::kMap:
		return "map";
	case Way::kReadahead:
		break;
	}
	return "readahead";
}

/// Reads every byte of @mapped.
void touch(const MappedFile &mapped)
{
	std::byte sum{0};

	for (std::size_t at = 0; at < mapped.bytes().size(); at += kPage)
		sum ^= mapped.bytes()[at];
	volatile std::byte keep = sum;
	static_cast<void>(keep);
}

void read_ahead(const std::string &path)
{
	using namespace std::chrono_literals;
	const UniqueFd fd = open_file(path, O_RDONLY);
	const std::uint64_t pages = total_pages(path);
	constexpr std::uint64_t kWindow = 16; ///< a limit of the device

	for (std::uint64_t page = 0; page < pages; page += kWindow)
		if (readahead(fd.get(), static_cast<off64_t>(page * kPage),
			      kWindow * kPage) != 0)
			throw_errno("readahead " + path);
	const auto end = std::chrono::steady_clock::now() + 10s;
	while (resident_pages(path) < pages &&
	       std::chrono::steady_clock::now() < end)
		std::this_thread::sleep_for(10ms);
}

void cache(const std::string &path, Way way)
{
	switch (way) {
	case Way::kRead:
		read_through(path);
		break;
	case Way::kMap:
		touch(MappedFile(path, MAP_SHARED));
		break;
	case Way::kReadahead:
		read_ahead(path);
		break;
	}
}

/// What a mapping of the file at @path shows behind its end: "" if zeroes.
std::string behind_end(const std::string &path)
{
	const MappedFile mapped(path, MAP_SHARED);
	const std::size_t size = mapped.bytes().size();
	// A mapping is of whole pages.
	const std::span<const std::byte> page(
		mapped.bytes().data(), (size + kPage - 1) / kPage * kPage);

	for (std::size_t at = size; at < page.size(); at++)
		if (page[at] != std::byte{0})
			return path + " has " +
			       std::to_string(std::to_integer<int>(page[at])) +
			       " at byte " + std::to_string(at) +
			       ", behind its end";
	return "";
}

/// Files of @tree below @root that are not zero behind their ends.
std::vector<std::string> dirty_tails(const std::string &root, const Tree &tree)
{
	std::vector<std::string> found;

	for (const FileSpec &file : tree.files) {
		std::string dirty =
			file.size == 0 ? ""
				       : behind_end(root + "/" + file.path);

		if (!dirty.empty())
			found.push_back(std::move(dirty));
	}
	return found;
}

bool is_zero(std::span<const std::byte> bytes)
{
	return std::all_of(bytes.begin(), bytes.end(),
			   [](std::byte byte) { return byte == std::byte{0}; });
}

/// Puts other bytes behind the end of each file of the facets whose end lies in
/// @image as it is, up to the end of its block of @block bytes. Returns the
/// files' paths.
std::vector<std::string> patch_tails(std::vector<std::byte> &image,
				     std::size_t block)
{
	std::vector<std::string> patched;
	constexpr std::size_t kEnd = 64; ///< enough to be found by

	for (const FileSpec &file : facets().files) {
		std::vector<std::byte> end(kEnd);

		if (file.size < kEnd || file.size % block == 0)
			continue;
		fill_content(file, file.size - kEnd, end);
		if (is_zero(end))
			continue;
		const auto found = std::search(image.begin(), image.end(),
					       end.begin(), end.end());
		if (found == image.end())
			continue;
		const auto from =
			static_cast<std::size_t>(found - image.begin() + kEnd);
		const std::size_t to = (from + block - 1) / block * block;
		const auto rest = std::span(image).subspan(
			from, std::min(to, image.size()) - from);
		// What else lies there belongs to somebody.
		if (rest.empty() || !is_zero(rest))
			continue;
		std::fill(rest.begin(), rest.end(), kForeign);
		patched.push_back(file.path);
	}
	return patched;
}

using Case = std::tuple<std::string, Way>;

std::string case_name(const testing::TestParamInfo<Case> &info)
{
	return parameter_name(std::get<0>(info.param)) + "_by_" +
	       way_name(std::get<1>(info.param));
}

class TailBytes : public ShareTest, public testing::WithParamInterface<Case> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({image()});
	}
	static const std::string &image()
	{
		return std::get<0>(GetParam());
	}
	static Way way()
	{
		return std::get<1>(GetParam());
	}
	static std::size_t block_size()
	{
		for (const LayoutFamily &family : layout_families())
			for (const std::string &name : family.names)
				if (name == image())
					return family.block_size;
		throw_error(EINVAL, image() + " is no layout");
	}
};

class PatchedTailBytes : public TailBytes {};

TEST_P(PatchedTailBytes, OfAnImageReachNobody)
{
	std::vector<std::byte> bytes =
		file_bytes(images().find(image()).file());
	const std::vector<std::string> patched =
		patch_tails(bytes, block_size());

	ASSERT_THAT(patched, Not(IsEmpty())) << "nothing to test";
	write_patched(kPatched, std::move(bytes));
	const Mount lying = mount_case(kPatched, sharing());
	const Mount plain = mount_shared("4k-plain");
	const Mount lz4 = mount_shared("4k-lz4");

	for (const std::string &path : patched) {
		const FileSpec &file = facets().file(path);

		cache(lying.at(path), way());
		EXPECT_EQ(resident_pages(plain.at(path)),
			  total_pages(plain.at(path)))
			<< path << " is not the lying image's page";
		for (const Mount *mount : {&plain, &lz4, &lying}) {
			EXPECT_EQ(behind_end(mount->at(path)), "");
			EXPECT_EQ(difference(mount->at(path), file), "");
		}
	}
}

// Of compressed images, those that keep what does not compress as it is.
INSTANTIATE_TEST_SUITE_P(
	Layouts, PatchedTailBytes,
	testing::Combine(
		testing::Values("4k-plain", "4k-chunk4k", "4k-chunk1m",
				"4k-indexes", "4k-lz4", "4k-lz4hc", "4k-big64k",
				"4k-zstd", "2k-plain", "1k-chunk", "512-plain",
				"512-chunk", "512-lz4"),
		testing::Values(Way::kRead, Way::kMap, Way::kReadahead)),
	case_name);

TEST_P(TailBytes, OfAnHonestImageAreZero)
{
	const Mount mount = mount_shared(image());

	// The last first: of two files with equal beginnings, one ends where
	// the other goes on.
	for (const FileSpec &file : std::ranges::reverse_view(facets().files))
		if (file.size != 0)
			cache(mount.at(file.path), way());
	EXPECT_THAT(dirty_tails(mount.path(), facets()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Layouts, TailBytes,
			 testing::Combine(testing::ValuesIn(layout_images()),
					  testing::Values(Way::kRead,
							  Way::kMap)),
			 case_name);

/// Compressed images in which a file ends before its last cluster does.
class ShortenedTailBytes : public TailBytes {
      protected:
	static constexpr std::uint64_t kLess = 1000;

	/// The file "text", as it is in the image now.
	static FileSpec shortened()
	{
		FileSpec file = facets().file("text");

		file.size -= kLess;
		return file;
	}
	/// A copy of the image in which it is.
	static void write_shortened()
	{
		std::vector<std::byte> bytes =
			file_bytes(images().find(image()).file());
		const std::uint64_t size = facets().file("text").size;
		std::size_t changed = 0;

		for (const Field &field : map_image(bytes)) {
			if (std::strcmp(field.name, "i_size") != 0 ||
			    read_number(bytes, field.offset, field.width) !=
				    size)
				continue;
			for (std::size_t i = 0; i < field.width; i++)
				bytes[field.offset + i] =
					static_cast<std::byte>((size - kLess) >>
							       (8 * i));
			changed++;
		}
		if (changed != 1)
			throw_error(EINVAL,
				    "inodes of the size of text in " + image());
		write_patched(kPatched, std::move(bytes));
	}
};

TEST_P(ShortenedTailBytes, OfWhatAClusterGoesOnWithReachNobody)
{
	write_shortened();
	const Mount first = mount_case(kPatched, sharing());
	const Mount second = mount_case(kPatched, sharing());

	cache(first.at("text"), way());
	EXPECT_EQ(resident_pages(second.at("text")),
		  total_pages(second.at("text")));
	for (const Mount *mount : {&first, &second}) {
		EXPECT_EQ(behind_end(mount->at("text")), "");
		EXPECT_EQ(difference(mount->at("text"), shortened()), "");
	}
}

INSTANTIATE_TEST_SUITE_P(
	Layouts, ShortenedTailBytes,
	testing::Combine(
		testing::Values("4k-lz4", "4k-lz4hc", "4k-lzma", "4k-deflate",
				"4k-zstd", "4k-big64k", "4k-big1m", "2k-lz4",
				"512-lz4", "512-zstd"),
		testing::Values(Way::kRead, Way::kMap, Way::kReadahead)),
	case_name);

} // namespace

} // namespace erofs_share
