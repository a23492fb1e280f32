// SPDX-License-Identifier: GPL-2.0-only
// Locks and leases: they belong to the file of one image. Equal files of two
// images are two files.
#include "base/child.h"
#include "base/fd.h"
#include "support/access_fixture.h"

#include <array>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace erofs_share {
namespace {

/// What F_GETLK or F_OFD_GETLK @command finds against a write lock on the whole
/// of @fd's file: F_RDLCK, F_WRLCK or F_UNLCK; -1 when the call fails.
int conflict(int fd, int command)
{
	struct flock lock {};

	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	return fcntl(fd, command, &lock) == 0 ? lock.l_type : -1;
}

/// Sets a lock of @type on the whole file. Returns the errno; 0 when it is set.
int set_lock(int fd, int command, short type)
{
	struct flock lock {};

	lock.l_type = type;
	lock.l_whence = SEEK_SET;
	return fcntl(fd, command, &lock) == 0 ? 0 : errno;
}

class LockPath : public AccessPath {
      protected:
	[[nodiscard]] static UniqueFd open_common(const Mount &mount)
	{
		return open_file(mount.at(kCommon), O_RDONLY);
	}
};

TEST_P(LockPath, FlockOfOneImageDoesNotStopTheOther)
{
	const UniqueFd first = open_common(a());
	const UniqueFd second = open_common(b());

	EXPECT_EQ(flock(first.get(), LOCK_EX | LOCK_NB), 0);
	EXPECT_EQ(flock(second.get(), LOCK_EX | LOCK_NB), 0);
}

TEST_P(LockPath, FlockStopsAnotherOpenOfTheSameFile)
{
	const UniqueFd first = open_common(a());
	const UniqueFd second = open_common(a());

	EXPECT_EQ(flock(first.get(), LOCK_EX | LOCK_NB), 0);
	EXPECT_EQ(flock(second.get(), LOCK_EX | LOCK_NB), -1);
	EXPECT_EQ(errno, EWOULDBLOCK);
	EXPECT_EQ(flock(first.get(), LOCK_UN), 0);
	EXPECT_EQ(flock(second.get(), LOCK_EX | LOCK_NB), 0);
}

TEST_P(LockPath, PosixLockIsSeenByOtherProcessesOnTheSameFileOnly)
{
	const UniqueFd fd = open_common(a());

	ASSERT_EQ(set_lock(fd.get(), F_SETLK, F_RDLCK), 0);
	Child same([&] { return conflict(fd.get(), F_GETLK); });
	EXPECT_EQ(same.wait(), F_RDLCK);
	const UniqueFd other = open_common(b());
	Child twin([&] { return conflict(other.get(), F_GETLK); });
	EXPECT_EQ(twin.wait(), F_UNLCK);
}

TEST_P(LockPath, OpenFileLockIsSeenByOtherOpensOfTheSameFileOnly)
{
	const UniqueFd fd = open_common(a());
	const UniqueFd same = open_common(a());
	const UniqueFd twin = open_common(b());

	ASSERT_EQ(set_lock(fd.get(), F_OFD_SETLK, F_RDLCK), 0);
	EXPECT_EQ(conflict(same.get(), F_OFD_GETLK), F_RDLCK);
	EXPECT_EQ(conflict(twin.get(), F_OFD_GETLK), F_UNLCK);
}

TEST_P(LockPath, ProcLocksNamesTheInodeOfTheImage)
{
	const UniqueFd fd = open_common(b());
	struct stat status {};
	std::array<char, 64> inode{};

	read_through(a().at(kCommon));
	ASSERT_EQ(fstat(fd.get(), &status), 0);
	ASSERT_EQ(flock(fd.get(), LOCK_EX | LOCK_NB), 0);
	std::snprintf(inode.data(), inode.size(), " %02x:%02x:%llu ",
		      major(status.st_dev), minor(status.st_dev),
		      static_cast<unsigned long long>(status.st_ino));
	EXPECT_THAT(read_text("/proc/locks"), testing::HasSubstr(inode.data()));
}

TEST_P(LockPath, WriteLocksAreRefusedAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);

		return Observations{
			{"posix",
			 errno_name(set_lock(fd.get(), F_SETLK, F_WRLCK))},
			{"open_file",
			 errno_name(set_lock(fd.get(), F_OFD_SETLK, F_WRLCK))}};
	});
}

TEST_P(LockPath, LeasesAreAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const UniqueFd fd = open_file(mount + "/" + kCommon, O_RDONLY);
		Observations seen;
		const auto lease = [&](const std::string &what, int type) {
			const int result = fcntl(fd.get(), F_SETLEASE, type);

			seen[what] = errno_name(result == 0 ? 0 : errno);
			seen[what + "_then"] =
				std::to_string(fcntl(fd.get(), F_GETLEASE));
		};

		lease("read", F_RDLCK);
		// A second open for reading breaks no read lease.
		EXPECT_TRUE(open_file(mount + "/" + kCommon, O_RDONLY).valid());
		lease("unlock", F_UNLCK);
		lease("write", F_WRLCK);
		lease("unlock_write", F_UNLCK);
		return seen;
	});
}

TEST_P(LockPath, WriteLeaseOfOneImageIsGrantedWhileTheOtherIsOpen)
{
	const UniqueFd fd = open_common(a());
	const UniqueFd twin = open_common(b());
	const int result = fcntl(fd.get(), F_SETLEASE, F_WRLCK);
	const int error = result == 0 ? 0 : errno;

	observe("lease", errno_name(error));
	EXPECT_EQ(error, 0);
	EXPECT_EQ(fcntl(twin.get(), F_GETLEASE), F_UNLCK);
}

TEST_P(LockPath, WriteLeaseIsRefusedWhileTheSameFileIsOpenElsewhere)
{
	const UniqueFd fd = open_common(a());
	const UniqueFd second = open_common(a());

	EXPECT_EQ(fcntl(fd.get(), F_SETLEASE, F_WRLCK), -1);
	EXPECT_EQ(errno, EAGAIN);
}

INSTANTIATE_ON_PLAIN_IMAGES(LockPath);

} // namespace
} // namespace erofs_share
