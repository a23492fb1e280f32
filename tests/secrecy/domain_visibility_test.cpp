// SPDX-License-Identifier: GPL-2.0-only
// Nobody sees domains come and go: neither sysfs nor the kernel's events have
// anything for mounts that share which mounts without sharing do not have.
#include "base/error.h"
#include "base/fd.h"
#include "support/fixture.h"

#include <array>
#include <cctype>
#include <filesystem>
#include <linux/netlink.h>
#include <set>
#include <sys/socket.h>

namespace erofs_share {
namespace {

using testing::Contains;
using testing::HasSubstr;
using Names = std::multiset<std::string>;

/// @text with N for each number.
std::string without_numbers(const std::string &text)
{
	std::string plain;

	for (const char letter : text)
		if (std::isdigit(static_cast<unsigned char>(letter)) == 0)
			plain += letter;
		else if (plain.empty() || plain.back() != 'N')
			plain += 'N';
	return plain;
}

/// Hears what the kernel tells udev.
class KernelEvents {
      public:
	KernelEvents()
	    : socket_(socket(AF_NETLINK,
			     SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			     NETLINK_KOBJECT_UEVENT))
	{
		constexpr int kRoom = 1 << 20;
		sockaddr_nl address{};

		address.nl_family = AF_NETLINK;
		address.nl_groups = 1;
		if (!socket_.valid() ||
		    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE,
			       &kRoom, sizeof(kRoom)) != 0 ||
		    bind(socket_.get(),
			 reinterpret_cast<const sockaddr *>(&address),
			 sizeof(address)) != 0)
			throw_errno("a socket for the kernel's events");
	}
	/// Those since the last call, as "ACTION@PATH" with N for numbers;
	/// without those of loop devices, which come when the kernel likes.
	Names read_new()
	{
		std::array<char, 8192> buffer{};
		Names events;

		for (;;) {
			const ssize_t got = recv(socket_.get(), buffer.data(),
						 buffer.size() - 1, 0);

			if (got < 0 && errno == EAGAIN)
				return events;
			if (got < 0)
				throw_errno("receive the kernel's events");
			buffer.at(static_cast<std::size_t>(got)) = '\0';
			std::string event =
				without_numbers(std::string(buffer.data()));
			if (event.find("/block/loop") == std::string::npos)
				events.insert(std::move(event));
		}
	}

      private:
	UniqueFd socket_;
};

/// Entries of /sys/class/bdi, with N for numbers.
Names backing_devices()
{
	Names names;

	for (const auto &entry :
	     std::filesystem::directory_iterator("/sys/class/bdi"))
		names.insert(without_numbers(entry.path().filename().string()));
	return names;
}

/// What can be seen of two mounts from before the first to after the last.
struct Visible {
	Names before, mounted, after;
	Names events;

	bool operator==(const Visible &) const = default;
};

void PrintTo(const Visible &visible, std::ostream *out)
{
	const auto print = [&](const char *what, const Names &names) {
		*out << what << ':';
		for (const std::string &name : names)
			*out << ' ' << name;
		*out << '\n';
	};

	print("backing devices before", visible.before);
	print("backing devices while mounted", visible.mounted);
	print("backing devices after", visible.after);
	print("events", visible.events);
}

Visible watch(Via via, const MountOptions &options)
{
	KernelEvents events;
	Visible seen;

	seen.before = backing_devices();
	{
		const Mount a =
			mount_image(images().find("enc-plain"), via, options);
		const Mount b = mount_image(images().find("enc-noinline"), via,
					    options);

		read_tree(a.path(), find_tree("mix"));
		read_tree(b.path(), find_tree("mix"));
		seen.mounted = backing_devices();
	}
	seen.after = backing_devices();
	seen.events = events.read_new();
	return seen;
}

class DomainVisibility : public ShareTest,
			 public testing::WithParamInterface<Via> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({"enc-plain", "enc-noinline"}, GetParam());
	}
};

TEST_P(DomainVisibility, SysfsAndEventsShowNoMoreThanWithoutSharing)
{
	// Loop devices stay once they were made: have them all first.
	watch(GetParam(), {});
	const Visible plain = watch(GetParam(), {});
	const Visible shared = watch(GetParam(), sharing());

	EXPECT_EQ(shared, plain);
	EXPECT_FALSE(plain.mounted.empty());
}

TEST_P(DomainVisibility, MountsWithoutDeviceAreSeen)
{
	// What these tests look at does show a superblock's backing device.
	if (GetParam() != Via::kFile)
		GTEST_SKIP() << "the device is there before";
	const Visible plain = watch(GetParam(), {});

	EXPECT_EQ(plain.mounted.count("erofs-N"),
		  plain.before.count("erofs-N") + 2);
	EXPECT_THAT(plain.events, Contains(HasSubstr("add@/devices/virtual/bdi/"
						     "erofs-N")));
}

INSTANTIATE_TEST_SUITE_P(Ways, DomainVisibility,
			 testing::Values(Via::kDisk, Via::kLoop, Via::kFile),
			 [](const testing::TestParamInfo<Via> &info) {
				 return via_name(info.param);
			 });

} // namespace
} // namespace erofs_share
