// SPDX-License-Identifier: GPL-2.0-only
// A file is attached to its shared inode when it is opened for the first time.
// An open that was on its way by then must end up in the one copy as well.
#include "base/error.h"
#include "base/fd.h"
#include "support/fixture.h"

#include <fcntl.h>
#include <future>
#include <poll.h>
#include <sys/fanotify.h>
#include <unistd.h>

namespace erofs_share {
namespace {

constexpr const char *kFile = "deep/er/text1m";

/// Is asked for each open(2) of one file, as a virus scanner is: the open waits
/// for allow(), after the VFS has taken the inode's mapping and before it calls
/// ->open. The event's own descriptor is an open of the file that overtakes it.
class OpenGate {
      public:
	explicit OpenGate(const std::string &path)
	    : group_(fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC,
				   O_RDONLY | O_CLOEXEC))
	{
		if (!group_.valid())
			throw_errno("fanotify_init");
		if (fanotify_mark(group_.get(), FAN_MARK_ADD, FAN_OPEN_PERM,
				  AT_FDCWD, path.c_str()) != 0)
			throw_errno("fanotify_mark " + path);
	}

	/// Whether this kernel asks anybody before an open(2).
	[[nodiscard]] static bool works()
	{
		const UniqueFd group(
			fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, 0));

		return group.valid() &&
		       fanotify_mark(group.get(), FAN_MARK_ADD, FAN_OPEN_PERM,
				     AT_FDCWD, "/") == 0;
	}

	/// Waits for an open(2) to come and returns what allow() takes; the
	/// open waits until then.
	[[nodiscard]] UniqueFd next() const
	{
		fanotify_event_metadata event{};
		pollfd ready = {
			.fd = group_.get(), .events = POLLIN, .revents = 0};

		if (poll(&ready, 1, 10000) != 1)
			throw_error(ETIMEDOUT, "wait for an open(2)");
		if (read(group_.get(), &event, sizeof(event)) !=
		    static_cast<ssize_t>(sizeof(event)))
			throw_errno("read a fanotify event");
		return UniqueFd(event.fd);
	}

	/// Lets the open(2) of @event go on.
	void allow(const UniqueFd &event) const
	{
		const fanotify_response answer = {.fd = event.get(),
						  .response = FAN_ALLOW};

		if (write(group_.get(), &answer, sizeof(answer)) !=
		    static_cast<ssize_t>(sizeof(answer)))
			throw_errno("answer a fanotify event");
	}

      private:
	UniqueFd group_;
};

class FirstOpen : public ImagePair {};

TEST_P(FirstOpen, ThatAnotherOneOvertakesReadsTheOneCopy)
{
	if (!OpenGate::works())
		GTEST_SKIP() << "this kernel has no fanotify permission events";
	const Mount a = mount_shared(GetParam().first);
	const Mount b = mount_shared(GetParam().second);
	const std::string path = a.at(kFile);
	const OpenGate gate(path);

	std::future<UniqueFd> opening = std::async(
		std::launch::async, [&] { return open_file(path, O_RDONLY); });
	const UniqueFd overtaker = gate.next();
	gate.allow(overtaker);
	const UniqueFd overtaken = opening.get();

	std::vector<std::byte> bytes(find_tree("mix").file(kFile).size);
	EXPECT_EQ(read_at(overtaken.get(), bytes, 0, path), bytes.size());
	EXPECT_EQ(resident_pages(b.at(kFile)), total_pages(b.at(kFile)));
}

INSTANTIATE_TEST_SUITE_P(Pairs, FirstOpen,
			 testing::Values(std::pair("enc-plain", "enc-lz4"),
					 std::pair("enc-lz4", "enc-plain")),
			 [](const auto &info) {
				 return parameter_name(
					 std::string(info.param.first) + "_" +
					 info.param.second);
			 });

} // namespace
} // namespace erofs_share
