// SPDX-License-Identifier: GPL-2.0-only
// Ways to come by an open file: file handles, openat2, O_PATH, O_NOATIME, a
// duplicate, /proc/self/fd, and another process.
#include "base/error.h"
#include "base/fd.h"
#include "support/access_fixture.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace erofs_share {
namespace {

/// A file handle with room for the largest one.
struct Handle {
	alignas(file_handle) std::array<
		std::byte, sizeof(file_handle) + MAX_HANDLE_SZ> bytes{};
	int mount_id = 0;

	file_handle *get()
	{
		return reinterpret_cast<file_handle *>(bytes.data());
	}
	/// The part that means something to the file system alone.
	std::span<std::byte> opaque()
	{
		return std::span(bytes).subspan(sizeof(file_handle),
						get()->handle_bytes);
	}
};

/// The handle of @path. Throws.
Handle handle_of(const std::string &path)
{
	Handle handle;

	handle.get()->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, path.c_str(), handle.get(),
			      &handle.mount_id, 0) != 0)
		throw_errno("name_to_handle_at " + path);
	return handle;
}

UniqueFd open_handle(const Mount &mount, Handle &handle)
{
	const UniqueFd root = open_file(mount.path(), O_RDONLY | O_DIRECTORY);
	UniqueFd fd(open_by_handle_at(root.get(), handle.get(),
				      O_RDONLY | O_CLOEXEC));

	if (!fd.valid())
		throw_errno("open_by_handle_at");
	return fd;
}

class HandlePath : public AccessPath {
      protected:
	/// Checks the bytes of kCommon as @fd reads them.
	static void expect_content(const UniqueFd &fd)
	{
		std::vector<std::byte> bytes(kCommonBytes);

		ASSERT_TRUE(fd.valid()) << errno_name(errno);
		EXPECT_EQ(read_at(fd.get(), bytes, 0, kCommon), kCommonBytes);
		EXPECT_EQ(difference(bytes, content()), "");
	}
	/// The same, and that it is the one copy.
	void expect_content_in_one_copy(const UniqueFd &fd) const
	{
		expect_content(fd);
		expect_one_copy();
		expect_rest_adds_no_copy();
	}
};

TEST_P(HandlePath, FileOpenedByHandleGivesTheBytesAndOneCopy)
{
	Handle handle = handle_of(a().at(kCommon));

	expect_content_in_one_copy(open_handle(a(), handle));
}

TEST_P(HandlePath, HandleOutlivesTheInodeAndTheMount)
{
	Handle handle = handle_of(a().at(kCommon));
	struct stat before {};
	struct stat after {};

	ASSERT_EQ(stat(a().at(kCommon).c_str(), &before), 0);
	drop_caches(Drop::kAll);
	expect_content(open_handle(a(), handle));
	take_a().unmount();
	const Mount again =
		mount_erofs(images().find(GetParam().first).disk(), options());
	const UniqueFd fd = open_handle(again, handle);
	ASSERT_EQ(fstat(fd.get(), &after), 0);
	EXPECT_EQ(after.st_ino, before.st_ino);
	expect_content(fd);
}

TEST_P(HandlePath, HandlesAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		Handle handle = handle_of(mount + "/" + kCommon);
		std::string text;

		for (const std::byte byte : handle.opaque())
			text += std::to_string(std::to_integer<int>(byte)) +
				" ";
		return Observations{
			{"type", std::to_string(handle.get()->handle_type)},
			{"bytes", text}};
	});
}

TEST_P(HandlePath, StaleHandleIsRefusedAsStock)
{
	expect_as_stock([](const std::string &mount) {
		Handle handle = handle_of(mount + "/" + kCommon);
		const UniqueFd root = open_file(mount, O_RDONLY | O_DIRECTORY);

		handle.opaque()[0] ^= std::byte{0xff};
		handle.opaque()[2] ^= std::byte{0xff};
		const UniqueFd fd(open_by_handle_at(root.get(), handle.get(),
						    O_RDONLY | O_CLOEXEC));
		return Observations{{"opened", fd.valid() ? "yes" : "no"}};
	});
}

TEST_P(HandlePath, FileOpenedByOpenat2GivesTheBytesAndOneCopy)
{
	const UniqueFd root = open_file(a().path(), O_RDONLY | O_DIRECTORY);
	open_how how{};

	how.flags = O_RDONLY | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
	expect_content_in_one_copy(UniqueFd(static_cast<int>(
		syscall(SYS_openat2, root.get(), kCommon, &how, sizeof(how)))));
}

TEST_P(HandlePath, FileOpenedWithoutAtimeGivesTheBytesAndOneCopy)
{
	expect_content_in_one_copy(
		open_file(a().at(kCommon), O_RDONLY | O_NOATIME));
}

TEST_P(HandlePath, PathDescriptorReadsNothingAndOpensThroughProc)
{
	const UniqueFd path = open_file(a().at(kCommon), O_PATH);
	std::byte byte{};
	struct stat status {};

	EXPECT_EQ(read(path.get(), &byte, 1), -1);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(fstat(path.get(), &status), 0);
	EXPECT_EQ(status.st_size, off_t{kCommonBytes});
	EXPECT_EQ(resident_pages(a().at(kCommon)), 0U);
	expect_content_in_one_copy(open_file(
		"/proc/self/fd/" + std::to_string(path.get()), O_RDONLY));
}

TEST_P(HandlePath, PathDescriptorKeepsTheMountBusy)
{
	UniqueFd path = open_file(a().at(kCommon), O_PATH);

	EXPECT_EQ(take_a().try_unmount(), EBUSY);
	path.reset();
	EXPECT_EQ(take_a().try_unmount(), 0);
}

TEST_P(HandlePath, DuplicateSharesThePositionAndGivesTheBytes)
{
	const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);
	const UniqueFd twin(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
	std::byte byte{};

	ASSERT_EQ(read(fd.get(), &byte, 1), 1);
	EXPECT_EQ(lseek(twin.get(), 0, SEEK_CUR), 1);
	expect_content_in_one_copy(twin);
}

TEST_P(HandlePath, DescriptorInFlightKeepsTheMountBusyAndGivesTheBytes)
{
	std::array<int, 2> ends{};
	char byte = 'x';
	iovec part = {&byte, 1};
	alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
	msghdr message{};

	ASSERT_EQ(
		socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()),
		0);
	const UniqueFd here(ends[0]);
	const UniqueFd there(ends[1]);
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	message.msg_control = control.data();
	message.msg_controllen = control.size();
	{
		const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);
		const int number = fd.get();
		cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(number));
		std::memcpy(CMSG_DATA(header), &number, sizeof(number));
		ASSERT_EQ(sendmsg(here.get(), &message, 0), 1);
	}
	EXPECT_EQ(take_a().try_unmount(), EBUSY);
	ASSERT_EQ(recvmsg(there.get(), &message, MSG_CMSG_CLOEXEC), 1);
	int received = -1;
	std::memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)),
		    sizeof(received));
	{
		const UniqueFd fd(received);
		expect_content(fd);
	}
	EXPECT_EQ(take_a().try_unmount(), 0);
}

INSTANTIATE_ON_PLAIN_IMAGES(HandlePath);

} // namespace
} // namespace erofs_share
