// SPDX-License-Identifier: GPL-2.0-only
// The counters below /sys/fs/erofs/DEV/share/ and what erofs-share status makes
// of them: right to the page, for the administrator alone, gone with the mount.
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "os/loop_device.h"
#include "support/fixture.h"
#include "tool/status.h"

#include <atomic>
#include <fcntl.h>
#include <filesystem>
#include <linux/capability.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace erofs_share {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

constexpr std::uint64_t kPage = 4096;

/// Gives up CAP_SYS_ADMIN, which root of a container has not. For a child.
void give_up_sys_admin()
{
	__user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data) != 0)
		throw_errno("capget");
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, data) != 0)
		throw_errno("capset");
}

class Counters : public ShareTest {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (!IsSkipped() && !erofs_is_ours())
			GTEST_SKIP() << "only our module counts what is shared";
	}

	static MountStatus of(const Mount &mount)
	{
		for (const MountStatus &status : read_status().mounts)
			for (const std::string &target : status.targets)
				if (target == mount.path())
					return status;
		throw_error(ENOENT, "counters of " + mount.path());
	}

	static DomainStatus domain_of(const Mount &mount)
	{
		const std::uint64_t number = of(mount).domain;

		for (const DomainStatus &status : read_status().domains)
			if (status.number == number)
				return status;
		throw_error(ENOENT, "the domain of " + mount.path());
	}

	/// Directory of a mount's counters.
	static fs::path directory(const Mount &mount)
	{
		return fs::path("/sys/fs/erofs") / of(mount).device / "share";
	}

	/// What is resident of the files @paths of @mount, which differ, by
	/// cachestat(2), or mincore(2) where there is none.
	static std::uint64_t seen(const Mount &mount,
				  const std::vector<std::string> &paths)
	{
		std::uint64_t pages = 0;

		for (const std::string &path : paths) {
			const std::string file = mount.at(path);

			pages += cachestat_pages(file).value_or(
				resident_pages(file));
		}
		return pages * kPage;
	}
};

TEST_F(Counters, FilesCountFromTheirFirstOpenToTheirEviction)
{
	const Mount a = mount_shared("enc-plain");
	const Mount b = mount_shared("enc-lz4");
	struct stat status {};

	ASSERT_EQ(stat(a.at("sizes").c_str(), &status), 0);
	ASSERT_EQ(stat(a.at("twin1").c_str(), &status), 0);
	EXPECT_EQ(of(a).files, 0U);
	for (const char *path : {"twin1", "twin2", "deep/er/text1m", "empty"})
		open_file(a.at(path), O_RDONLY);
	open_file(a.at("twin1"), O_RDONLY);
	EXPECT_EQ(of(a).files, 3U);
	EXPECT_EQ(of(b).files, 0U);
	drop_caches(Drop::kSlab);
	EXPECT_EQ(of(a).files, 0U);
}

TEST_F(Counters, ResidentBytesAreThoseThatMincoreSees)
{
	const Mount a = mount_shared("enc-plain");
	const Mount b = mount_shared("enc-lz4");
	const std::vector<std::string> files = {"deep/er/text1m",
						"deep/er/random1m", "twin1"};

	read_range(a.at("deep/er/random1m"), 3 * kPage, 10 * kPage);
	read_through(a.at("deep/er/text1m"));
	read_range(b.at("twin1"), 0, kPage);
	open_file(a.at("twin1"), O_RDONLY);
	open_file(b.at("deep/er/text1m"), O_RDONLY);
	EXPECT_EQ(of(a).resident_bytes, seen(a, files));
	EXPECT_GE(of(a).resident_bytes, (7 + 257 + 1) * kPage);
	EXPECT_EQ(of(b).resident_bytes, seen(b, {"deep/er/text1m", "twin1"}));
	drop_caches(Drop::kPages);
	EXPECT_EQ(of(a).resident_bytes, 0U);
}

TEST_F(Counters, EachSharedInodeOfAMountCountsOnce)
{
	const Mount a = mount_shared("enc-plain");

	read_through(a.at("twin1"));
	read_through(a.at("twin2"));
	EXPECT_EQ(of(a).files, 2U);
	EXPECT_EQ(of(a).resident_bytes, seen(a, {"twin1"}));
	EXPECT_EQ(of(a).foreign_bytes, 0U);
}

TEST_F(Counters, PagesThatAnotherImageReadAreForeign)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_through(a.at("dup64m"));
	read_through(b.at("dup64m"));
	EXPECT_EQ(of(a).foreign_bytes, 0U);
	EXPECT_EQ(of(b).foreign_bytes, kBigPages * kPage);
	EXPECT_EQ(of(b).resident_bytes, kBigPages * kPage);
}

TEST_F(Counters, PagesThatBothImagesReadAreForeignToTheOther)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_range(a.at("dup64m"), 0, 100 * kPage);
	read_range(b.at("dup64m"), 0, 300 * kPage);
	ASSERT_EQ(of(a).resident_bytes, 300 * kPage);
	EXPECT_EQ(of(a).foreign_bytes, 200 * kPage);
	EXPECT_EQ(of(b).foreign_bytes, 100 * kPage);
}

TEST_F(Counters, PagesReadAgainAreThoseOfWhoeverReadThemLast)
{
	const Mount a = mount_shared("enc-plain");
	const Mount b = mount_shared("enc-lz4");
	const std::string file = "deep/er/text1m";

	read_through(a.at(file));
	open_file(b.at(file), O_RDONLY);
	EXPECT_EQ(of(b).foreign_bytes, seen(b, {file}));
	drop_caches(Drop::kPages);
	read_through(b.at(file));
	EXPECT_EQ(of(b).foreign_bytes, 0U);
	EXPECT_EQ(of(a).foreign_bytes, seen(a, {file}));
}

TEST_F(Counters, PagesOfAnUnmountedImageStayForeign)
{
	Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_through(a.at("dup64m"));
	a.unmount();
	open_file(b.at("dup64m"), O_RDONLY);
	EXPECT_EQ(of(b).foreign_bytes, kBigPages * kPage);
}

TEST_F(Counters, SavedIsWhatFurtherSharersWouldHaveCached)
{
	const Mount a = mount_shared("enc-plain");
	const Mount b = mount_shared("enc-lz4");
	const Mount c = mount_shared("enc-fragments");
	const std::string text = "deep/er/text1m";

	read_through(a.at(text));
	read_through(a.at("deep/er/random1m"));
	const std::uint64_t one = seen(a, {text});
	EXPECT_EQ(domain_of(a).saved_bytes, 0U);
	read_through(b.at(text));
	EXPECT_EQ(domain_of(a).saved_bytes, one);
	read_through(c.at(text));
	EXPECT_EQ(domain_of(a).saved_bytes, 2 * one);
}

TEST_F(Counters, DomainCountsItsSharedInodesAndTheirPages)
{
	Mount a = mount_shared("enc-plain");
	const Mount b = mount_shared("enc-lz4");

	EXPECT_EQ(domain_of(a).inodes, 0U);
	EXPECT_EQ(domain_of(a).mounts, 2U);
	read_through(a.at("twin1"));
	read_through(a.at("twin2"));
	read_through(b.at("deep/er/text1m"));
	const std::uint64_t bytes =
		seen(a, {"twin1"}) + seen(b, {"deep/er/text1m"});
	EXPECT_EQ(domain_of(b).inodes, 2U);
	EXPECT_EQ(domain_of(b).resident_bytes, bytes);

	// What no mount has attached any more is still the domain's.
	a.unmount();
	EXPECT_EQ(domain_of(b).inodes, 2U);
	EXPECT_EQ(domain_of(b).resident_bytes, bytes);
	EXPECT_EQ(domain_of(b).mounts, 1U);
	EXPECT_EQ(domain_of(b).saved_bytes, 0U);
	drop_caches(Drop::kAll);
	drop_caches(Drop::kAll);
	EXPECT_EQ(domain_of(b).inodes, 0U);
}

TEST_F(Counters, DomainsAreNumberedAsTheyAreMade)
{
	std::optional<Mount> a = mount_shared("enc-plain");
	const std::uint64_t first = of(*a).domain;
	const Mount same = mount_shared("enc-lz4");
	const Mount other =
		mount_erofs(images().find("enc-fragments").disk(),
			    MountOptions::sharing(DomainId::random()));

	EXPECT_EQ(of(same).domain, first);
	EXPECT_EQ(of(other).domain, first + 1);
	a.reset();
	EXPECT_EQ(of(same).domain, first);
}

TEST_F(Counters, NumberOfADomainIsNotDerivedFromItsId)
{
	std::optional<Mount> a = mount_shared("enc-plain");
	const std::uint64_t first = of(*a).domain;

	a.reset();
	a = mount_shared("enc-plain");
	EXPECT_EQ(of(*a).domain, first + 1);
}

TEST_F(Counters, FileBackedMountsHaveThemToo)
{
	if (!no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	const Mount disk = mount_shared("enc-plain");
	const Mount file =
		mount_erofs(images().find("enc-lz4").file(), sharing());

	read_through(disk.at("twin1"));
	open_file(file.at("twin1"), O_RDONLY);
	EXPECT_EQ(of(file).foreign_bytes, seen(file, {"twin1"}));
	EXPECT_EQ(of(file).domain, of(disk).domain);
}

TEST_F(Counters, MountThatDoesNotShareHasNone)
{
	const Mount plain = mount_erofs(images().find("enc-plain").disk());
	const Mount unfit = mount_shared("no-fingerprint");

	EXPECT_THAT(read_status().mounts, IsEmpty());
	for (const auto &entry : fs::directory_iterator("/sys/fs/erofs"))
		EXPECT_FALSE(fs::exists(entry.path() / "share"))
			<< entry.path();
}

TEST_F(Counters, GoWithTheMount)
{
	Mount a = mount_shared("enc-plain");
	const fs::path files = directory(a);
	const UniqueFd open_counter =
		open_file((files / "resident_bytes").string(), O_RDONLY);
	char byte = 0;

	ASSERT_TRUE(fs::exists(files));
	a.unmount();
	EXPECT_FALSE(fs::exists(files));
	EXPECT_EQ(read(open_counter.get(), &byte, 1), -1);
	EXPECT_EQ(errno, ENODEV);
}

TEST_F(Counters, AreOneNumberAFileThatOnlyRootReads)
{
	const Mount a = mount_shared("enc-plain");
	std::set<std::string> names;

	for (const auto &entry : fs::directory_iterator(directory(a))) {
		const std::string text = read_text(entry.path().string());
		const std::string name = entry.path().filename().string();
		struct stat status {};

		names.insert(name);
		ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
		EXPECT_EQ(status.st_mode & 07777, 0400U) << entry.path();
		EXPECT_EQ(status.st_uid, 0U) << entry.path();
		EXPECT_EQ(text.find_first_not_of(name == "dev" ? "0123456789:"
							       : "0123456789"),
			  text.size() - 1)
			<< entry.path() << ": " << text;
		EXPECT_EQ(text.back(), '\n') << entry.path();
	}
	EXPECT_EQ(names, (std::set<std::string>{
				 "dev", "domain", "domain_inodes",
				 "domain_resident_bytes", "domain_saved_bytes",
				 "files", "foreign_bytes", "resident_bytes"}));
}

TEST_F(Counters, RootOfAContainerReadsNone)
{
	const Mount a = mount_shared("enc-plain");
	const fs::path files = directory(a);

	EXPECT_EQ(run_in_child([&]() -> std::string {
			  give_up_sys_admin();
			  for (const auto &entry :
			       fs::directory_iterator(files)) {
				  const UniqueFd fd = open_file(
					  entry.path().string(), O_RDONLY);
				  char byte = 0;

				  if (read(fd.get(), &byte, 1) != -1 ||
				      errno != EPERM)
					  return entry.path().string() +
						 " can be read";
			  }
			  return "";
		  }),
		  "");
}

TEST_F(Counters, OfAMountTellNothingOfTheDomainId)
{
	const DomainId id("an-id-that-nobody-guesses-0123");
	const Mount a = mount_erofs(images().find("enc-plain").disk(),
				    MountOptions::sharing(id));
	std::size_t looked_at = 0;

	for (const auto &entry :
	     fs::recursive_directory_iterator("/sys/fs/erofs")) {
		EXPECT_EQ(entry.path().string().find("nobody"),
			  std::string::npos);
		if (!entry.is_regular_file() ||
		    entry.path().filename() == "drop_caches")
			continue;
		EXPECT_EQ(read_text(entry.path().string()).find("nobody"),
			  std::string::npos)
			<< entry.path();
		looked_at++;
	}
	EXPECT_GE(looked_at, 8U);
}

TEST_F(Counters, CanBeReadWhileMountsComeAndGo)
{
	constexpr int kRounds = 40;
	const Mount stays = mount_shared("enc-fragments");
	std::atomic<bool> done = false;
	std::atomic<std::uint64_t> reads = 0;
	std::string failure;

	std::thread reader([&] {
		try {
			while (!done) {
				const Status status = read_status();

				reads += status.mounts.size();
			}
		} catch (const std::exception &error) {
			failure = error.what();
		}
	});
	std::thread opener([&] {
		while (!done) {
			read_through(stays.at("twin1"));
			read_through(stays.at("deep/er/text1m"));
			drop_caches(Drop::kAll);
		}
	});
	for (int i = 0; i < kRounds; i++) {
		const Mount a = mount_shared("enc-plain");
		const Mount b = mount_shared("enc-lz4");
		const Mount own =
			mount_erofs(images().find("enc-lz4hc").disk(),
				    MountOptions::sharing(DomainId::random()));

		read_through(a.at("twin1"));
		read_through(b.at("deep/er/text1m"));
		read_through(own.at("twin2"));
	}
	done = true;
	reader.join();
	opener.join();
	EXPECT_EQ(failure, "");
	EXPECT_GT(reads.load(), static_cast<std::uint64_t>(kRounds));
}

class StatusCommand : public Counters {
      protected:
	static ProgramResult run(std::vector<std::string> arguments)
	{
		arguments.insert(arguments.begin(),
				 {"/bin/erofs-share", "status"});
		return run_program("/", arguments, Capture::kAll);
	}
};

TEST_F(StatusCommand, JsonHasTheCounters)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");

	read_through(a.at("dup64m"));
	read_through(b.at("dup64m"));
	const ProgramResult result = run({"--json"});
	ASSERT_EQ(result.status, 0) << result.output;
	const auto json = nlohmann::json::parse(result.output);
	EXPECT_EQ(json.at("version"), 1);
	ASSERT_EQ(json.at("mounts").size(), 2U);
	ASSERT_EQ(json.at("domains").size(), 1U);
	EXPECT_EQ(json.at("saved_bytes"), kBigPages * kPage);
	EXPECT_EQ(json.at("domains")[0].at("domain"),
		  json.at("mounts")[0].at("domain"));
	for (const auto &mount : json.at("mounts")) {
		const bool is_a = mount.at("targets")[0] == a.path();

		EXPECT_EQ(mount.at("foreign_bytes"),
			  is_a ? 0 : kBigPages * kPage);
		EXPECT_EQ(mount.at("source"),
			  images().find(is_a ? "dup-a" : "dup-b").disk());
	}
}

TEST_F(StatusCommand, TableShowsMountsDomainsAndWhatIsSaved)
{
	const Mount a = mount_shared("dup-a");
	const Mount b = mount_shared("dup-b");
	const std::string number = std::to_string(of(a).domain);

	read_through(a.at("dup64m"));
	read_through(b.at("dup64m"));
	const ProgramResult result = run({});
	EXPECT_EQ(result.status, 0);
	EXPECT_THAT(result.output,
		    testing::ContainsRegex(images().find("dup-b").disk() +
					   " +" + number + " +1 +64M +64M +" +
					   b.path() + "\n"));
	EXPECT_THAT(
		result.output,
		testing::ContainsRegex(" *" + number + " +2 +1 +64M +64M\n"));
	EXPECT_THAT(result.output,
		    testing::HasSubstr("Sharing saves 64M now.\n"));
}

TEST_F(StatusCommand, SaysWhenNothingShares)
{
	const ProgramResult result = run({});

	EXPECT_EQ(result.status, 0);
	EXPECT_EQ(result.output,
		  "No mount shares page cache (mount option inode_share).\n");
}

TEST_F(StatusCommand, TellsWhoMayAsk)
{
	const Mount a = mount_shared("enc-plain");

	EXPECT_EQ(run_in_child([]() -> std::string {
			  if (setuid(1000) != 0)
				  throw_errno("setuid");
			  const ProgramResult result = run({});

			  if (result.status != 2)
				  return "status " +
					 std::to_string(result.status);
			  return result.output.find("try sudo") ==
						 std::string::npos
					 ? result.output
					 : "";
		  }),
		  "");
}

TEST_F(StatusCommand, WatchGoesOnUntilItIsStopped)
{
	const Mount a = mount_shared("enc-plain");
	const std::string file = "/tmp/status-watch";
	const UniqueFd output =
		open_file(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	std::size_t lines = 0;

	{
		const Child child([&] {
			dup2(output.get(), STDOUT_FILENO);
			execl("/bin/erofs-share", "erofs-share", "status",
			      "--watch", "--json", "--interval", "0.1",
			      nullptr);
			return 127;
		});

		for (int i = 0; i < 200 && lines < 3; i++) {
			usleep(50000);
			const std::string text = read_text(file);
			lines = static_cast<std::size_t>(
				std::count(text.begin(), text.end(), '\n'));
		}
	}
	EXPECT_GE(lines, 3U);
	unlink(file.c_str());
}

} // namespace
} // namespace erofs_share
