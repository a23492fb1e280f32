// SPDX-License-Identifier: GPL-2.0-only
// What users see of open and mapped files: their own paths and numbers in
// /proc, who keeps a mount busy, and when it can be unmounted.
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "support/access_fixture.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <sstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace erofs_share {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct stat status_of(const std::string &path)
{
	struct stat status {};

	if (stat(path.c_str(), &status) != 0)
		throw_errno("stat " + path);
	return status;
}

/// The line of /proc/self/maps for the mapping that starts at @address.
std::string maps_line(const void *address, const char *file)
{
	std::istringstream lines(read_text(file));
	std::ostringstream start;

	start << std::hex << reinterpret_cast<std::uintptr_t>(address) << '-';
	for (std::string line; std::getline(lines, line);)
		if (line.rfind(start.str(), 0) == 0)
			return line;
	return "";
}

/// Processes that hold a file of device @device open or mapped, found as
/// lsof(8) does: by the links of /proc/PID/fd and the lines of /proc/PID/maps.
std::set<pid_t> holders(dev_t device)
{
	std::set<pid_t> pids;
	std::error_code gone;

	for (const auto &process : fs::directory_iterator("/proc")) {
		const std::string name = process.path().filename().string();

		if (name.find_first_not_of("0123456789") != std::string::npos)
			continue;
		for (const char *links : {"fd", "map_files"}) {
			for (const auto &link : fs::directory_iterator(
				     process.path() / links, gone)) {
				struct stat status {};

				if (stat(link.path().c_str(), &status) == 0 &&
				    status.st_dev == device)
					pids.insert(std::stoi(name));
			}
		}
	}
	return pids;
}

/// A process that does @prepare, says so, and waits to be killed.
Child holder(const std::function<void()> &prepare)
{
	std::array<int, 2> ends{};

	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe2");
	const UniqueFd ready(ends[0]);
	UniqueFd say(ends[1]);
	Child child([&] {
		prepare();
		if (write(say.get(), "x", 1) != 1)
			return 1;
		for (;;)
			pause();
	});
	char byte = 0;

	say.reset();
	if (read(ready.get(), &byte, 1) != 1)
		throw_error(ECHILD, "a process that holds a file");
	return child;
}

class UserView : public AccessPath {};

TEST_P(UserView, ProcFdNamesTheUsersPath)
{
	for (const Mount *mount : {&a(), &b()}) {
		const UniqueFd fd = open_file(mount->at(kCommon), O_RDONLY);

		EXPECT_EQ(fs::read_symlink("/proc/self/fd/" +
					   std::to_string(fd.get())),
			  mount->at(kCommon));
	}
}

TEST_P(UserView, FdinfoNamesTheUsersMountAndInode)
{
	const UniqueFd fd = open_file(b().at(kCommon), O_RDONLY);
	const std::string info =
		read_text("/proc/self/fdinfo/" + std::to_string(fd.get()));
	struct statx status {};

	read_through(a().at(kCommon));
	ASSERT_EQ(statx(fd.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &status), 0);
	EXPECT_THAT(info, HasSubstr("mnt_id:\t" +
				    std::to_string(status.stx_mnt_id) + "\n"));
	EXPECT_THAT(info, HasSubstr("ino:\t" + std::to_string(status.stx_ino) +
				    "\n"));
}

TEST_P(UserView, MapsNameTheUsersPathDeviceAndInode)
{
	const MappedFile first(a().at(kCommon), MAP_SHARED);

	EXPECT_EQ(difference(first.bytes(), content()), "");
	for (const Mount *mount : {&a(), &b()}) {
		const MappedFile mapped(mount->at(kCommon), MAP_PRIVATE);
		const struct stat status = status_of(mount->at(kCommon));
		std::istringstream fields(
			maps_line(mapped.bytes().data(), "/proc/self/maps"));
		std::array<char, 32> device{};
		std::string range;
		std::string flags;
		std::string offset;
		std::string where;
		std::string inode;
		std::string path;

		std::snprintf(device.data(), device.size(), "%02x:%02x",
			      major(status.st_dev), minor(status.st_dev));
		fields >> range >> flags >> offset >> where >> inode >> path;
		EXPECT_EQ(path, mount->at(kCommon));
		EXPECT_EQ(inode, std::to_string(status.st_ino));
		EXPECT_EQ(where, device.data());
	}
}

TEST_P(UserView, SmapsNameTheUsersPathAndCountThePages)
{
	const MappedFile mapped(b().at(kCommon), MAP_SHARED);

	read_through(a().at(kCommon));
	EXPECT_EQ(difference(mapped.bytes(), content()), "");
	EXPECT_THAT(maps_line(mapped.bytes().data(), "/proc/self/smaps"),
		    HasSubstr(b().at(kCommon)));
}

TEST_P(UserView, MapFilesNameTheUsersPathAndOpenTheFile)
{
	const MappedFile mapped(b().at(kCommon), MAP_SHARED);
	const std::string line =
		maps_line(mapped.bytes().data(), "/proc/self/maps");
	const std::string link =
		"/proc/self/map_files/" + line.substr(0, line.find(' '));

	read_through(a().at(kCommon));
	EXPECT_EQ(fs::read_symlink(link), b().at(kCommon));
	EXPECT_EQ(status_of(link).st_ino, status_of(b().at(kCommon)).st_ino);
	EXPECT_EQ(status_of(link).st_dev, status_of(b().at(kCommon)).st_dev);
	EXPECT_EQ(difference(link, content()), "");
}

TEST_P(UserView, ScanOfProcFindsWhoHasAFileOpen)
{
	const dev_t device = status_of(b().path()).st_dev;

	read_through(a().at(kCommon));
	EXPECT_THAT(holders(device), IsEmpty());
	{
		UniqueFd fd;
		const Child child = holder(
			[&] { fd = open_file(b().at(kCommon), O_RDONLY); });

		EXPECT_THAT(holders(device), ElementsAre(child.pid()));
		EXPECT_THAT(holders(status_of(a().path()).st_dev), IsEmpty());
	}
	EXPECT_THAT(holders(device), IsEmpty());
}

TEST_P(UserView, ScanOfProcFindsWhoHasAFileMapped)
{
	const dev_t device = status_of(b().path()).st_dev;

	read_through(a().at(kCommon));
	std::optional<MappedFile> mapped;
	const Child child =
		holder([&] { mapped.emplace(b().at(kCommon), MAP_SHARED); });

	EXPECT_THAT(holders(device), ElementsAre(child.pid()));
	EXPECT_THAT(holders(status_of(a().path()).st_dev), IsEmpty());
}

TEST_P(UserView, UnmountIsBusyWhileAnotherProcessHasAFileOpen)
{
	{
		UniqueFd fd;
		const Child child = holder(
			[&] { fd = open_file(a().at(kCommon), O_RDONLY); });

		EXPECT_EQ(take_a().try_unmount(), EBUSY);
	}
	EXPECT_EQ(take_a().try_unmount(), 0);
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
}

TEST_P(UserView, UnmountIsBusyWhileAnotherProcessHasAFileMapped)
{
	{
		std::optional<MappedFile> mapped;
		const Child child = holder(
			[&] { mapped.emplace(a().at(kCommon), MAP_SHARED); });

		EXPECT_EQ(take_a().try_unmount(), EBUSY);
	}
	EXPECT_EQ(take_a().try_unmount(), 0);
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
}

TEST_P(UserView, UnmountSucceedsRightAfterTheLastReader)
{
	for (int round = 0; round < 8; round++) {
		Mount mount = std::move(take_a());

		read_through(mount.at(kCommon));
		EXPECT_EQ(mount.try_unmount(), 0);
		take_a() = mount_erofs(images().find(GetParam().first).disk(),
				       options());
	}
}

TEST_P(UserView, OneImageIsFreeWhileTheOtherIsMapped)
{
	const MappedFile mapped(b().at(kCommon), MAP_SHARED);

	read_through(a().at(kCommon));
	EXPECT_EQ(take_a().try_unmount(), 0);
	EXPECT_EQ(difference(mapped.bytes(), content()), "");
}

INSTANTIATE_ON_BOTH_PAIRS(UserView);

} // namespace
} // namespace erofs_share
