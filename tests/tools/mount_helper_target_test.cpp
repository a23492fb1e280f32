// SPDX-License-Identifier: GPL-2.0-only
// What mount.erofs-share does at a target that somebody else can change: a
// directory that is renamed in between, a namespace with a /proc of its own;
// and with the descriptors 0 to 2 closed.
#include "support/mount_helper_fixture.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/proc.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

class MountHelperTarget : public MountHelper {};

/// An erofs and a tmpfs on directories whose parents somebody exchanges.
class Exchange {
      public:
	Exchange(const std::string &options, const std::string &disk)
	{
		for (const char *name : {"/a", "/b"})
			fs::create_directories(top_ + name + "/m");
		if (mount8(options, disk, top_ + "/a/m").status != 0 ||
		    mount("tmpfs", (top_ + "/b/m").c_str(), "tmpfs", 0,
			  nullptr) != 0)
			throw_errno("mount below " + top_);
		thread_ = std::thread([this] {
			while (!done_)
				renameat2(AT_FDCWD, (top_ + "/a").c_str(),
					  AT_FDCWD, (top_ + "/b").c_str(),
					  RENAME_EXCHANGE);
		});
	}
	Exchange(const Exchange &) = delete;
	Exchange &operator=(const Exchange &) = delete;
	Exchange(Exchange &&) = delete;
	Exchange &operator=(Exchange &&) = delete;
	~Exchange()
	{
		stop();
		for (const char *name : {"/a/m", "/b/m"})
			umount2((top_ + name).c_str(), 0);
		fs::remove_all(top_);
	}
	void stop()
	{
		done_ = true;
		if (thread_.joinable())
			thread_.join();
	}
	[[nodiscard]] std::string target() const
	{
		return top_ + "/a/m";
	}
	/// The options of the tmpfs, wherever it is; for after stop().
	[[nodiscard]] std::vector<std::string> victim() const
	{
		for (const char *name : {"/a/m", "/b/m"})
			if (mounted_source(top_ + name) == "tmpfs")
				return shown_options(top_ + name);
		return {};
	}

      private:
	std::string top_ = "/run/exchange";
	std::atomic<bool> done_ = false;
	std::thread thread_;
};

TEST_F(MountHelperTarget, ARemountTouchesOnlyTheMountThatItLookedAt)
{
	constexpr int kRounds = 60;
	Exchange exchange(options(), images().find("enc-plain").disk());
	int done = 0;

	for (int i = 0; i < kRounds; i++)
		done += helper({"none", exchange.target(), "-o",
				"remount,noexec"})
				.status == 0;
	exchange.stop();
	EXPECT_GT(done, 0) << "the erofs was never met";
	EXPECT_LT(done, kRounds) << "the tmpfs was never met";
	EXPECT_THAT(exchange.victim(), Contains("rw"));
	EXPECT_THAT(exchange.victim(), Not(Contains("noexec")));
}

/// A mount namespace where /proc/self/mountinfo is a FIFO that nobody writes.
class HostileNamespace {
      public:
	HostileNamespace()
	    : keeper_([] {
		      if (unshare(CLONE_NEWNS) != 0 ||
			  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE,
				nullptr) != 0 ||
			  mount("tmpfs", "/proc", "tmpfs", 0, nullptr) != 0 ||
			  mkdir("/proc/self", 0755) != 0 ||
			  mkfifo("/proc/self/mountinfo", 0600) != 0 ||
			  mkdir(kReady, 0700) != 0)
			      return 1;
		      for (;;)
			      pause();
		      return 0;
	      })
	{
		while (!fs::exists(kReady))
			sched_yield();
	}
	HostileNamespace(const HostileNamespace &) = delete;
	HostileNamespace &operator=(const HostileNamespace &) = delete;
	HostileNamespace(HostileNamespace &&) = delete;
	HostileNamespace &operator=(HostileNamespace &&) = delete;
	~HostileNamespace()
	{
		rmdir(kReady);
	}
	[[nodiscard]] std::string path() const
	{
		return "/proc/" + std::to_string(keeper_.pid()) + "/ns/mnt";
	}

      private:
	static constexpr const char *kReady = "/run/hostile-namespace";

	Child keeper_;
};

/// The exit status of @child, or 128 and SIGKILL when it does not end.
int wait_a_while(Child &child)
{
	for (int i = 0; i < 300; i++) {
		siginfo_t info{};

		if (waitid(P_PID, static_cast<id_t>(child.pid()), &info,
			   WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid != 0)
			return child.wait();
		std::this_thread::sleep_for(std::chrono::milliseconds(100));
	}
	kill(child.pid(), SIGKILL);
	return child.wait();
}

TEST_F(MountHelperTarget, AProcOfTheTargetsNamespaceIsNotRead)
{
	const MountPoint target;
	const HostileNamespace other;
	Child child([&] {
		return helper({images().find("enc-plain").disk(), target.path(),
			       "-N", other.path(), "-o", options()})
			.status;
	});

	EXPECT_EQ(wait_a_while(child), 0);
}

TEST_F(MountHelperTarget, ANamespaceThatIsAFifoIsNotWaitedFor)
{
	const MountPoint target;
	const std::string fifo = "/run/helper-fifo";

	ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
	Child child([&] {
		return helper({images().find("enc-plain").disk(), target.path(),
			       "-N", fifo, "-o", options()})
			.status;
	});
	EXPECT_EQ(wait_a_while(child), 2);
	unlink(fifo.c_str());
}

TEST_F(MountHelperTarget, WithoutStandardDescriptorsNothingElseIsOneOfThem)
{
	const MountPoint target;
	const std::string disk = images().find("no-fingerprint").disk();
	Child child([&] {
		for (const int fd : {0, 1, 2})
			close(fd);
		execl("/sbin/mount.erofs-share", "mount.erofs-share",
		      disk.c_str(), target.path().c_str(), "-v", "-o",
		      options().c_str(), nullptr);
		return 127;
	});

	// It has a warning and what it did to say, and nowhere to say it.
	EXPECT_EQ(child.wait(), 0);
	EXPECT_THAT(erofs_mounts(), testing::SizeIs(1));
}

} // namespace
} // namespace erofs_share
