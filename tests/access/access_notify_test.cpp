// SPDX-License-Identifier: GPL-2.0-only
// fanotify and inotify: events name the user's file, and a watch on one image
// sees nothing of the other.
#include "base/error.h"
#include "base/fd.h"
#include "support/access_fixture.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A fanotify group that reports opening, reading and closing.
class Fanotify {
      public:
	/// Watches @path with FAN_MARK_ADD and @flags, such as FAN_MARK_MOUNT.
	Fanotify(const std::string &path, unsigned int flags)
	    : fd_(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
				O_RDONLY | O_CLOEXEC))
	{
		if (!fd_.valid())
			throw_errno("fanotify_init");
		if (fanotify_mark(fd_.get(), FAN_MARK_ADD | flags,
				  FAN_OPEN | FAN_ACCESS | FAN_CLOSE_NOWRITE,
				  AT_FDCWD, path.c_str()) != 0)
			throw_errno("fanotify_mark " + path);
	}
	/// The events since the last call, as "open PATH"; equal ones in a row
	/// once.
	std::vector<std::string> events()
	{
		alignas(fanotify_event_metadata) std::array<char, 8192>
			buffer{};
		std::vector<std::string> all;

		for (;;) {
			ssize_t left =
				read(fd_.get(), buffer.data(), buffer.size());
			if (left < 0 && errno == EAGAIN)
				return all;
			if (left < 0)
				throw_errno("read fanotify events");
			const auto *event = reinterpret_cast<
				const fanotify_event_metadata *>(buffer.data());
			for (; FAN_EVENT_OK(event, left);
			     event = FAN_EVENT_NEXT(event, left)) {
				const UniqueFd file(event->fd);

				add(all, event->mask, file);
			}
		}
	}

      private:
	static void add(std::vector<std::string> &all, std::uint64_t mask,
			const UniqueFd &file)
	{
		const std::string path =
			std::filesystem::read_symlink(
				"/proc/self/fd/" + std::to_string(file.get()))
				.string();
		const std::array<std::pair<std::uint64_t, const char *>, 3>
			names = {{{FAN_OPEN, "open "},
				  {FAN_ACCESS, "access "},
				  {FAN_CLOSE_NOWRITE, "close "}}};

		for (const auto &[bit, name] : names) {
			if ((mask & bit) == 0)
				continue;
			std::string line = name + path;
			if (all.empty() || all.back() != line)
				all.push_back(std::move(line));
		}
	}
	UniqueFd fd_;
};

class NotifyPath : public AccessPath {
      protected:
	/// Checks that @watch saw one reading of @path and nothing else.
	static void expect_reading_of(Fanotify &watch, const std::string &path)
	{
		EXPECT_THAT(watch.events(),
			    ElementsAre("open " + path, "access " + path,
					"close " + path));
	}
};

TEST_P(NotifyPath, FanotifyOnAMountReportsTheUsersPath)
{
	Fanotify watch(a().path(), FAN_MARK_MOUNT);

	read_through(a().at(kCommon));
	expect_reading_of(watch, a().at(kCommon));
}

TEST_P(NotifyPath, FanotifyOnAMountSeesNothingOfTheOtherImage)
{
	Fanotify watch(a().path(), FAN_MARK_MOUNT);

	read_through(b().at(kCommon));
	EXPECT_THAT(watch.events(), IsEmpty());
}

TEST_P(NotifyPath, FanotifyOnAFileSystemReportsItsOwnFilesOnly)
{
	Fanotify watch(a().path(), FAN_MARK_FILESYSTEM);

	read_through(b().at(kCommon));
	EXPECT_THAT(watch.events(), IsEmpty());
	read_through(a().at(kCommon));
	expect_reading_of(watch, a().at(kCommon));
}

TEST_P(NotifyPath, FanotifyOnAFileReportsThatFileOnly)
{
	Fanotify watch(a().at(kCommon), FAN_MARK_ADD);

	read_through(b().at(kCommon));
	read_through(a().at("small/4097.text"));
	EXPECT_THAT(watch.events(), IsEmpty());
	read_through(a().at(kCommon));
	expect_reading_of(watch, a().at(kCommon));
}

TEST_P(NotifyPath, FanotifyEventDescriptorReadsTheFile)
{
	const UniqueFd group(
		fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
			      O_RDONLY | O_CLOEXEC));
	fanotify_event_metadata event{};
	std::vector<std::byte> bytes(kCommonBytes);

	ASSERT_EQ(fanotify_mark(group.get(), FAN_MARK_ADD | FAN_MARK_MOUNT,
				FAN_CLOSE_NOWRITE, AT_FDCWD,
				a().path().c_str()),
		  0);
	read_through(a().at(kCommon));
	ASSERT_EQ(read(group.get(), &event, sizeof(event)),
		  ssize_t{sizeof(event)});
	const UniqueFd file(event.fd);
	EXPECT_EQ(read_at(file.get(), bytes, 0, kCommon), kCommonBytes);
	EXPECT_EQ(difference(bytes, content()), "");
	expect_one_copy();
}

TEST_P(NotifyPath, InotifyReportsTheFileOfItsOwnImageOnly)
{
	const UniqueFd fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
	alignas(inotify_event) std::array<char, 4096> buffer{};

	ASSERT_GE(inotify_add_watch(fd.get(), a().at(kCommon).c_str(),
				    IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE),
		  0);
	read_through(b().at(kCommon));
	EXPECT_EQ(read(fd.get(), buffer.data(), buffer.size()), -1);
	EXPECT_EQ(errno, EAGAIN);

	read_through(a().at(kCommon));
	const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
	ASSERT_GT(got, 0);
	std::uint32_t seen = 0;
	for (ssize_t at = 0; at < got;) {
		inotify_event event{};

		std::memcpy(&event, buffer.data() + at, sizeof(event));
		seen |= event.mask;
		at += static_cast<ssize_t>(sizeof(event) + event.len);
	}
	EXPECT_EQ(seen, std::uint32_t{IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE});
}

TEST_P(NotifyPath, EventsOfAMappingAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		Fanotify watch(mount, FAN_MARK_MOUNT);
		Observations seen;
		int number = 0;

		EXPECT_EQ(resident_pages(mount + "/" + kCommon), 0U);
		for (const std::string &event : watch.events())
			seen["event_" + std::to_string(number++)] =
				event.substr(0, event.find(' '));
		EXPECT_FALSE(seen.empty());
		return seen;
	});
}

INSTANTIATE_ON_PLAIN_IMAGES(NotifyPath);

} // namespace
} // namespace erofs_share
