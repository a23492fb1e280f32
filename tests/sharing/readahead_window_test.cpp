// SPDX-License-Identifier: GPL-2.0-only
// How far files of a sharing mount are read ahead: the kernel asks the domain,
// and that has the largest value of its members' devices, as they were when a
// file of each was opened last: a new value counts, for all of the domain, from
// the next open in the mount whose device has it. Each figure is compared with
// that of a mount without sharing on the same device.
#include "base/error.h"
#include "base/fd.h"
#include "machine/fault_injection.h"
#include "support/access_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace erofs_share {
namespace {

constexpr const char *kFile = "dup64m";
constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kMiddle = kBigPages / 2;

/// Pages that one look at kFile brings in.
struct Window {
	std::uint64_t read = 0;	   ///< read(2) of the first page
	std::uint64_t fault = 0;   ///< a page fault in the middle
	std::uint64_t doubled = 0; ///< the same after POSIX_FADV_SEQUENTIAL

	bool operator==(const Window &) const = default;
};

void PrintTo(const Window &window, std::ostream *out)
{
	*out << window.read << " pages by read, " << window.fault
	     << " by a fault, " << window.doubled << " by one when sequential";
}

/// The pages of @path that @look at it, newly opened, brings in.
std::uint64_t pages_of(const std::string &path,
		       const std::function<void(const UniqueFd &)> &look)
{
	{
		const UniqueFd fd = open_file(path, O_RDONLY);

		EXPECT_EQ(resident_pages(path), 0U);
		look(fd);
	}
	EXPECT_TRUE(wait_for_read_ahead(path));
	const std::uint64_t pages = resident_pages(path);
	drop_caches(Drop::kPages);
	return pages;
}

/// Touches the page in the middle of @fd.
void fault_in_the_middle(const UniqueFd &fd)
{
	void *address =
		mmap(nullptr, kBigBytes, PROT_READ, MAP_SHARED, fd.get(), 0);

	if (address == MAP_FAILED)
		throw_errno("mmap");
	const volatile std::byte *bytes = static_cast<std::byte *>(address);
	static_cast<void>(bytes[kMiddle * kPage]);
	munmap(address, kBigBytes);
}

Window window_of(const Mount &mount)
{
	const std::string path = mount.at(kFile);
	Window window;

	drop_caches(Drop::kPages);
	window.read = pages_of(path, [&](const UniqueFd &fd) {
		std::vector<std::byte> page(kPage);

		read_at(fd.get(), page, 0, path);
	});
	window.fault = pages_of(path, fault_in_the_middle);
	window.doubled = pages_of(path, [](const UniqueFd &fd) {
		EXPECT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL),
			  0);
		fault_in_the_middle(fd);
	});
	return window;
}

class ReadaheadWindow : public ShareTest {
      protected:
	/// Lets the disk of image @name be read @kilobytes ahead, to the end of
	/// this test.
	void set(const std::string &name, unsigned int kilobytes)
	{
		const std::string disk = images().find(name).disk();

		settings_.set("/sys/block/" + disk.substr(disk.rfind('/') + 1) +
				      "/queue/read_ahead_kb",
			      std::to_string(kilobytes));
	}
	/// The window of "dup-a" without sharing, with @kilobytes.
	Window stock(unsigned int kilobytes)
	{
		set("dup-a", kilobytes);
		return window_of(
			mount_image(images().find("dup-a"), Via::kDisk));
	}

      private:
	Settings settings_;
};

TEST_F(ReadaheadWindow, OfAMountWithoutSharingIsThatOfItsDevice)
{
	// What the other tests measure by can tell all of these apart.
	EXPECT_EQ(stock(0).fault, 1U);
	EXPECT_EQ(stock(64).fault, 16U);
	EXPECT_EQ(stock(128).fault, 32U);
	EXPECT_EQ(stock(1024).fault, 256U);
	EXPECT_EQ(stock(128).doubled, 64U);
}

TEST_F(ReadaheadWindow, IsNoneWhenAllMembersHaveNone)
{
	const Window none = stock(0);
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	EXPECT_NE(window_of(b), none);
	set("dup-b", 0);
	EXPECT_EQ(window_of(b), none);
	EXPECT_EQ(window_of(a), none);
}

TEST_F(ReadaheadWindow, FollowsAValueThatIsRaised)
{
	const Window large = stock(1024);
	const Window usual = stock(128);
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	set("dup-b", 128);
	EXPECT_EQ(window_of(b), usual);
	set("dup-b", 1024);
	EXPECT_EQ(window_of(b), large);
}

TEST_F(ReadaheadWindow, FollowsAValueThatIsLowered)
{
	const Window small = stock(16);
	const Window usual = stock(128);

	set("dup-b", 128);
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	EXPECT_EQ(window_of(a), usual);
	set("dup-a", 16);
	EXPECT_EQ(window_of(a), usual) << "the other member still has it";
	set("dup-b", 16);
	EXPECT_EQ(window_of(b), small);
	EXPECT_EQ(window_of(a), small);
}

TEST_F(ReadaheadWindow, IsTheLargestOfTheMembers)
{
	const Window large = stock(1024);

	set("dup-a", 64);
	set("dup-b", 1024);
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	EXPECT_EQ(window_of(a), large);
	EXPECT_EQ(window_of(b), large);
}

TEST_F(ReadaheadWindow, ForgetsAMemberThatLeft)
{
	const Window small = stock(64);

	set("dup-b", 1024);
	const Mount a = mount_shared("dup-a");
	{
		const Mount b = mount_shared("dup-b");

		EXPECT_NE(window_of(a), small);
	}
	EXPECT_EQ(window_of(a), small);
}

} // namespace
} // namespace erofs_share
