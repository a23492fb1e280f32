// SPDX-License-Identifier: GPL-2.0-only
// Calls that a read-only file system refuses, and the odd questions to a file:
// errors and answers are those of a mount without sharing.
#include "base/fd.h"
#include "support/access_fixture.h"

#include <array>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace erofs_share {
namespace {

/// What a call that returned @result came back with: its value, or the errno.
std::string answer(std::int64_t result)
{
	return result < 0 ? errno_name(errno) : std::to_string(result);
}

class RefusalPath : public AccessPath {};

TEST_P(RefusalPath, ErrorsOfReadCallsAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		std::byte byte{};
		const iovec nowhere = {nullptr, 1};
		const std::vector<iovec> many(IOV_MAX + 1, {&byte, 1});
		constexpr int kUnknownFlag = 1 << 30;

		return Observations{
			{"negative_offset",
			 answer(pread(fd.get(), &byte, 1, -1))},
			{"bad_buffer",
			 answer(preadv(fd.get(), &nowhere, 1, 0))},
			{"hipri", answer(preadv2(fd.get(), many.data(), 1, 0,
						 RWF_HIPRI))},
			{"unknown_flag", answer(preadv2(fd.get(), many.data(),
							1, 0, kUnknownFlag))},
			{"many_vectors", answer(preadv(fd.get(), many.data(),
						       IOV_MAX + 1, 0))}};
	});
}

TEST_P(RefusalPath, ChangesAreRefusedAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const std::string path = mount + "/" + kCommon;
		const UniqueFd fd = open_file(path, O_RDONLY);
		Observations seen = {
			{"open",
			 answer(open(path.c_str(), O_RDWR | O_CLOEXEC))},
			{"write", answer(write(fd.get(), "x", 1))},
			{"truncate", answer(truncate(path.c_str(), 1))},
			{"fallocate", answer(fallocate(fd.get(), 0, 0, 1))},
			{"unlink", answer(unlink(path.c_str()))},
			{"chmod", answer(fchmod(fd.get(), 0600))},
			{"utimes", answer(futimens(fd.get(), nullptr))},
			{"setxattr",
			 answer(fsetxattr(fd.get(), "user.x", "y", 1, 0))},
			{"clone", answer(ioctl(fd.get(), FICLONE, fd.get()))}};

		for (const auto &[what, value] : seen)
			EXPECT_NE(value, "0") << what;
		EXPECT_EQ(seen["open"], "EROFS");
		EXPECT_EQ(difference(path, content()), "");
		return seen;
	});
}

TEST_P(RefusalPath, SyncCallsAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);

		return Observations{
			{"fsync", answer(fsync(fd.get()))},
			{"fdatasync", answer(fdatasync(fd.get()))},
			{"syncfs", answer(syncfs(fd.get()))},
			{"sync_file_range",
			 answer(sync_file_range(fd.get(), 0, 4096,
						SYNC_FILE_RANGE_WRITE))}};
	});
}

TEST_P(RefusalPath, IoctlsAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		Observations seen;
		const auto ask = [&](const std::string &what,
				     unsigned long request) {
			std::array<std::byte, 4096> answer{};
			const int result =
				ioctl(fd.get(), request, answer.data());
			int value = 0;

			std::memcpy(&value, answer.data(), sizeof(value));
			seen[what] = result < 0 ? errno_name(errno)
						: std::to_string(value);
		};

		ask("FIGETBSZ", FIGETBSZ);
		ask("FIONREAD", FIONREAD);
		ask("FS_IOC_GETFLAGS", FS_IOC_GETFLAGS);
		return seen;
	});
}

/// The answer of FIBMAP for the first block of the file at @path.
std::string first_block(const std::string &path)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	int block = 0;

	return ioctl(fd.get(), FIBMAP, &block) < 0 ? errno_name(errno)
						   : std::to_string(block);
}

TEST_P(RefusalPath, BlockNumbersAreAsStock)
{
	// The VFS asks a mapping for FIBMAP and does not say whose file it is
	// about; a shared mapping has no block numbers of its own.
	if (shared() && erofs_is_ours()) {
		EXPECT_EQ(first_block(a().at(kCommon)), "EINVAL");
		GTEST_SKIP() << "known difference: FIBMAP of a shared file "
				"is EINVAL (FIEMAP tells the blocks)";
	}
	expect_as_stock([](const std::string &mount) {
		return Observations{
			{"FIBMAP", first_block(mount + "/" + kCommon)}};
	});
}

INSTANTIATE_ON_BOTH_PAIRS(RefusalPath);

} // namespace
} // namespace erofs_share
