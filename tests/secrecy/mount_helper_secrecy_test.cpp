// SPDX-License-Identifier: GPL-2.0-only
// Where mount.erofs-share keeps the domain id, and where it does not: the id
// comes through a pipe that stays open, so that the helper can be looked at
// while it holds the id.
#include "support/mount_helper_fixture.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/proc.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sched.h>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A pipe whose output the programs of a test inherit.
struct IdPipe {
	UniqueFd output;
	UniqueFd input;

	IdPipe()
	{
		std::array<int, 2> ends{};

		if (pipe2(ends.data(), O_CLOEXEC) != 0 ||
		    fcntl(ends[0], F_SETFD, 0) != 0)
			throw_errno("pipe2");
		output = UniqueFd(ends[0]);
		input = UniqueFd(ends[1]);
	}
	[[nodiscard]] std::string option() const
	{
		return "domain_id_file=/dev/fd/" + std::to_string(output.get());
	}
	void put(const DomainId &id) const
	{
		const DomainId::Revealed text = id.reveal();

		write_all(input.get(), std::as_bytes(std::span(text.view())),
			  "the pipe");
	}
	/// Waits until somebody has read all of it.
	void wait_until_read() const
	{
		for (int left = 1; left != 0; sched_yield())
			if (ioctl(output.get(), FIONREAD, &left) != 0)
				throw_errno("FIONREAD");
	}
};

class MountHelperSecrecy : public MountHelper {
      protected:
	void SetUp() override
	{
		MountHelper::SetUp();
		if (!IsSkipped())
			target_.emplace();
	}
	void TearDown() override
	{
		target_.reset();
		MountHelper::TearDown();
	}
	/// mount -t erofs-share with the id from @pipe, in the background.
	[[nodiscard]] Child start(const IdPipe &pipe,
				  const std::string &program = "/bin/mount",
				  bool traced = false)
	{
		std::vector<std::string> argv{program};

		if (program == "/bin/mount")
			argv.insert(argv.end(), {"-t", "erofs-share"});
		argv.insert(argv.end(),
			    {"-o", pipe.option(), images().find("dup-a").disk(),
			     target_->path()});
		std::vector<char *> words;
		words.reserve(argv.size() + 1);
		for (std::string &word : argv)
			words.push_back(word.data());
		words.push_back(nullptr);
		return Child([&] {
			if (traced)
				ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
			execv(words[0], words.data());
			return 127;
		});
	}
	[[nodiscard]] const std::string &target() const
	{
		return target_->path();
	}
	/// How often the second half of the id is in the memory that process
	/// @pid can write. What frees memory may write over the first half.
	[[nodiscard]] int copies_in(pid_t pid) const;

      private:
	std::optional<MountPoint> target_;
};

int MountHelperSecrecy::copies_in(pid_t pid) const
{
	const std::string process = "/proc/" + std::to_string(pid);
	const UniqueFd memory = open_file(process + "/mem", O_RDONLY);
	const DomainId::Revealed id = domain().reveal();
	std::istringstream maps(read_text(process + "/maps"));
	int copies = 0;

	for (std::string line; std::getline(maps, line);) {
		std::istringstream fields(line);
		std::uint64_t from = 0;
		std::uint64_t to = 0;
		char dash = 0;
		std::string mode;

		fields >> std::hex >> from >> dash >> to >> mode;
		if (mode.substr(0, 2) != "rw")
			continue;
		std::vector<char> bytes(to - from);
		const std::size_t size = read_at(
			memory.get(), std::as_writable_bytes(std::span(bytes)),
			from, process + "/mem");
		const std::string_view text(bytes.data(), size);
		const std::string_view half = id.view().substr(16);
		for (std::size_t at = text.find(half);
		     at != std::string_view::npos; at = text.find(half, at + 1))
			copies++;
	}
	return copies;
}

/// Whether process @pid has memory that is locked and left out of core dumps.
bool has_locked_undumped_page(pid_t pid)
{
	std::istringstream lines(
		read_text("/proc/" + std::to_string(pid) + "/smaps"));

	for (std::string line; std::getline(lines, line);)
		if (line.starts_with("VmFlags:") &&
		    line.find(" lo ") != std::string::npos &&
		    line.find(" dd ") != std::string::npos)
			return true;
	return false;
}

TEST_F(MountHelperSecrecy, AnIdFromADescriptorComesThroughMountEight)
{
	IdPipe pipe;
	Child child = start(pipe);

	pipe.put(domain());
	pipe.input.reset();
	EXPECT_EQ(child.wait(), 0);
	const Mount other =
		mount_erofs(images().find("dup-b").disk(), sharing());
	const std::string name = "/small/300001.text";
	read_through(target() + name);
	EXPECT_EQ(resident_pages(other.path() + name),
		  total_pages(other.path() + name));
}

TEST_F(MountHelperSecrecy, WhileItIsHeldNoCommandLineAndNoEnvironmentShowsIt)
{
	namespace fs = std::filesystem;
	IdPipe pipe;
	Child child = start(pipe);
	int seen = 0;

	pipe.put(domain());
	pipe.wait_until_read();
	for (const auto &entry : fs::directory_iterator("/proc")) {
		const fs::path &process = entry.path();

		if (!fs::exists(process / "cmdline"))
			continue;
		const std::string words = read_text(process / "cmdline");
		// Threads of the kernel have neither.
		if (words.empty())
			continue;
		seen += words.find("erofs-share") != std::string::npos ? 1 : 0;
		EXPECT_FALSE(reveals(words));
		EXPECT_FALSE(reveals(read_text(process / "environ")));
	}
	EXPECT_GE(seen, 2) << "mount(8) and its helper";
	pipe.input.reset();
	EXPECT_EQ(child.wait(), 0);
}

TEST_F(MountHelperSecrecy, ItIsHeldOnceInLockedMemoryThatNoDumpHas)
{
	IdPipe pipe;
	Child child = start(pipe, "/sbin/mount.erofs-share");

	pipe.put(domain());
	pipe.wait_until_read();
	// It waits for more, and has nothing else to do.
	EXPECT_EQ(copies_in(child.pid()), 1);
	EXPECT_THAT(
		read_text("/proc/" + std::to_string(child.pid()) + "/status"),
		HasSubstr("VmLck:\t       4 kB"));
	EXPECT_TRUE(has_locked_undumped_page(child.pid()));
	pipe.input.reset();
	EXPECT_EQ(child.wait(), 0);
}

/// Waits until process @pid, which is traced, stops for something else than the
/// end of its child. Returns that as waitpid(2) does, less the lowest byte.
int next_stop(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       status >> 8 == SIGCHLD)
		ptrace(PTRACE_CONT, pid, nullptr, SIGCHLD);
	return status >> 8;
}

TEST_F(MountHelperSecrecy, WhenItForksAndWhenItEndsItsMemoryHoldsNoCopy)
{
	constexpr int kAtExit = SIGTRAP | (PTRACE_EVENT_EXIT << 8);
	constexpr int kAtFork = SIGTRAP | (PTRACE_EVENT_FORK << 8);
	IdPipe pipe;
	Child child = start(pipe, "/sbin/mount.erofs-share", true);
	int status = 0;

	// It stops in execve(2), where it forks, and where it has ended but for
	// its memory.
	ASSERT_EQ(waitpid(child.pid(), &status, 0), child.pid());
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(ptrace(PTRACE_SETOPTIONS, child.pid(), nullptr,
			 PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK),
		  0);
	ASSERT_EQ(ptrace(PTRACE_CONT, child.pid(), nullptr, nullptr), 0);
	pipe.put(domain());
	pipe.wait_until_read();
	EXPECT_EQ(copies_in(child.pid()), 1);
	pipe.input.reset();
	// The child that looks at the image begins with a copy of all memory.
	ASSERT_EQ(next_stop(child.pid()), kAtFork);
	EXPECT_EQ(copies_in(child.pid()), 0);
	unsigned long looker = 0;
	ASSERT_EQ(ptrace(PTRACE_GETEVENTMSG, child.pid(), nullptr, &looker), 0);
	const auto looker_pid = static_cast<pid_t>(looker);
	ASSERT_EQ(waitpid(looker_pid, &status, __WALL), looker_pid);
	ASSERT_EQ(ptrace(PTRACE_DETACH, looker_pid, nullptr, nullptr), 0);
	ASSERT_EQ(ptrace(PTRACE_CONT, child.pid(), nullptr, nullptr), 0);
	ASSERT_EQ(next_stop(child.pid()), kAtExit);
	EXPECT_EQ(copies_in(child.pid()), 0);
	ASSERT_EQ(ptrace(PTRACE_CONT, child.pid(), nullptr, nullptr), 0);
	EXPECT_EQ(child.wait(), 0);
	EXPECT_TRUE(shows_inode_share(target()));
}

TEST_F(MountHelperSecrecy, ASignalEndsTheWaitAndNothingIsMounted)
{
	IdPipe pipe;
	Child child = start(pipe, "/sbin/mount.erofs-share");

	pipe.put(domain());
	pipe.wait_until_read();
	kill(child.pid(), SIGTERM);
	EXPECT_EQ(child.wait(), 8);
	EXPECT_THAT(erofs_mounts(), IsEmpty());
}

TEST_F(MountHelperSecrecy, NoMountTableShowsTheIdOrTheOption)
{
	mount8(options(), images().find("enc-plain").disk(), target());
	ASSERT_TRUE(shows_inode_share(target()));
	for (const char *table :
	     {"/proc/mounts", "/proc/self/mountinfo", "/run/mount/utab"}) {
		if (!std::filesystem::exists(table))
			continue;
		const std::string text = read_text(table);

		EXPECT_FALSE(reveals(text)) << table;
		EXPECT_THAT(text, Not(HasSubstr("domain_id"))) << table;
	}
}

TEST_F(MountHelperSecrecy, ADescriptorOfAFileThatOthersMayReadIsRefused)
{
	const IdFile file(domain());
	const UniqueFd fd = open_file(file.path(), O_RDONLY);

	ASSERT_EQ(chmod(file.path().c_str(), 0644), 0);
	ASSERT_EQ(fcntl(fd.get(), F_SETFD, 0), 0);
	for (const char *directory : {"/dev/fd/", "/proc/self/fd/"})
		EXPECT_THAT(mount8("domain_id_file=" + std::string(directory) +
					   std::to_string(fd.get()),
				   images().find("enc-plain").disk(), target()),
			    Prints(1, HasSubstr("chmod 600")));
	ASSERT_EQ(chmod(file.path().c_str(), 0600), 0);
	EXPECT_THAT(mount8("domain_id_file=/proc/self/fd/" +
				   std::to_string(fd.get()),
			   images().find("enc-plain").disk(), target()),
		    Prints(0, ""));
}

TEST_F(MountHelperSecrecy, WhatFailsSaysNothingOfTheId)
{
	EXPECT_FALSE(reveals(mount8(options() + ",dax=always",
				    images().find("enc-plain").disk(), target())
				     .output));
	EXPECT_FALSE(
		reveals(mount8(options(), find_disk("faulty").value_or("none"),
			       target())
				.output));
	EXPECT_THAT(erofs_mounts(), IsEmpty());
}

} // namespace
} // namespace erofs_share
