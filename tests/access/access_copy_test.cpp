// SPDX-License-Identifier: GPL-2.0-only
// Calls that move file content inside the kernel: splice, tee, sendfile and
// copy_file_range.
#include "base/error.h"
#include "base/fd.h"
#include "support/access_fixture.h"

#include <array>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using Bytes = std::vector<std::byte>;

struct Pipe {
	UniqueFd out;
	UniqueFd in;
};

Pipe make_pipe()
{
	std::array<int, 2> ends{};

	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe2");
	return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// A new file of a tmpfs, with no name.
UniqueFd tmpfs_file()
{
	UniqueFd fd(memfd_create("copy", MFD_CLOEXEC));

	if (!fd.valid())
		throw_errno("memfd_create");
	return fd;
}

/// Reads exactly @count bytes from @fd, which must have them, to @bytes' end.
void append(int fd, std::size_t count, Bytes &bytes)
{
	Bytes part(count);
	std::size_t done = 0;

	while (done < count) {
		const ssize_t got = read(fd, part.data() + done, count - done);

		if (got <= 0)
			throw_error(got < 0 ? errno : EPIPE, "read what came");
		done += static_cast<std::size_t>(got);
	}
	bytes.insert(bytes.end(), part.begin(), part.end());
}

class CopyPath : public AccessPath {
      protected:
	[[nodiscard]] UniqueFd open_a() const
	{
		return open_file(a().at(kCommon), O_RDONLY);
	}
	static void expect_all(const Bytes &bytes)
	{
		EXPECT_EQ(bytes.size(), kCommonBytes);
		EXPECT_EQ(difference(bytes, content()), "");
	}
	static void expect_all(const UniqueFd &copy)
	{
		Bytes bytes(kCommonBytes + 1);

		bytes.resize(read_at(copy.get(), bytes, 0, "the copy"));
		expect_all(bytes);
	}
};

TEST_P(CopyPath, SpliceToAPipeGivesTheBytesAndOneCopy)
{
	const UniqueFd fd = open_a();
	const Pipe pipe = make_pipe();
	Bytes bytes;

	for (;;) {
		const ssize_t moved = splice(fd.get(), nullptr, pipe.in.get(),
					     nullptr, 30000, 0);

		ASSERT_GE(moved, 0) << errno_name(errno);
		if (moved == 0)
			break;
		append(pipe.out.get(), static_cast<std::size_t>(moved), bytes);
	}
	expect_all(bytes);
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(CopyPath, SplicedPagesKeepTheirBytesWhenTheCacheIsDropped)
{
	const Pipe pipe = make_pipe();
	Bytes bytes;
	off64_t at = 8192;

	{
		const UniqueFd fd = open_a();
		ASSERT_EQ(
			splice(fd.get(), &at, pipe.in.get(), nullptr, 16384, 0),
			16384);
	}
	// The pipe holds pages, not the file.
	EXPECT_EQ(take_a().try_unmount(), 0);
	drop_caches(Drop::kAll);
	append(pipe.out.get(), 16384, bytes);
	EXPECT_EQ(difference(bytes, content(), 8192), "");
}

TEST_P(CopyPath, TeedPipesBothGiveTheBytes)
{
	const UniqueFd fd = open_a();
	const Pipe first = make_pipe();
	const Pipe second = make_pipe();
	Bytes one;
	Bytes two;

	ASSERT_EQ(splice(fd.get(), nullptr, first.in.get(), nullptr, 20000, 0),
		  20000);
	ASSERT_EQ(tee(first.out.get(), second.in.get(), 20000, 0), 20000);
	append(first.out.get(), 20000, one);
	append(second.out.get(), 20000, two);
	EXPECT_EQ(difference(one, content()), "");
	EXPECT_EQ(difference(two, content()), "");
	expect_one_copy();
}

TEST_P(CopyPath, SendfileToASocketGivesTheBytesAndOneCopy)
{
	const UniqueFd fd = open_a();
	std::array<int, 2> ends{};
	Bytes bytes;

	ASSERT_EQ(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()),
		0);
	const UniqueFd here(ends[0]);
	const UniqueFd there(ends[1]);
	for (;;) {
		const ssize_t sent =
			sendfile(here.get(), fd.get(), nullptr, 30000);

		ASSERT_GE(sent, 0) << errno_name(errno);
		if (sent == 0)
			break;
		append(there.get(), static_cast<std::size_t>(sent), bytes);
	}
	expect_all(bytes);
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(CopyPath, SendfileToTmpfsGivesTheBytesAndOneCopy)
{
	const UniqueFd fd = open_a();
	const UniqueFd copy = tmpfs_file();

	while (sendfile(copy.get(), fd.get(), nullptr, 1 << 20) > 0)
		;
	expect_all(copy);
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(CopyPath, CopyFileRangeToTmpfsIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		const UniqueFd copy = tmpfs_file();
		const ssize_t copied = copy_file_range(
			fd.get(), nullptr, copy.get(), nullptr, 1 << 20, 0);
		const int error = copied < 0 ? errno : 0;

		if (copied > 0) {
			Bytes bytes(static_cast<std::size_t>(copied));

			read_at(copy.get(), bytes, 0, "the copy");
			EXPECT_EQ(difference(bytes, content()), "");
		}
		return Observations{{"copied", std::to_string(copied)},
				    {"error", errno_name(error)}};
	});
}

TEST_P(CopyPath, CopyFileRangeBetweenTheImagesIsAsStock)
{
	const std::string to = b().at(kCommon);

	expect_as_stock([&](const std::string &mount) {
		const UniqueFd from =
			open_file(mount + "/" + kCommon, O_RDONLY);
		const UniqueFd target = open_file(to, O_RDONLY);
		const ssize_t copied = copy_file_range(
			from.get(), nullptr, target.get(), nullptr, 4096, 0);

		return Observations{
			{"error", errno_name(copied < 0 ? errno : 0)}};
	});
}

INSTANTIATE_ON_BOTH_PAIRS(CopyPath);

} // namespace
} // namespace erofs_share
