// SPDX-License-Identifier: GPL-2.0-only
// What users of one image learn of, and do to, users of another one through the
// pages that both have mapped. The kernel's generic code looks at the page, and
// asks no file system: no module can prevent this, Documentation/design.rst
// says it, and a kernel that changes it shows here.
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "support/access_fixture.h"

#include <array>
#include <fcntl.h>
#include <linux/futex.h>
#include <sstream>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace erofs_share {
namespace {

constexpr std::size_t kPage = 4096;
/// Seconds after which a waiter that nobody wakes gives up.
constexpr time_t kPatience = 60;

std::uint32_t *first_word(const MappedFile &mapped)
{
	return const_cast<std::uint32_t *>(
		reinterpret_cast<const std::uint32_t *>(mapped.bytes().data()));
}

/// A process that waits on the futex in the first word of a file.
class FutexWaiter {
      public:
	explicit FutexWaiter(const std::string &path)
	    : child_([&] {
		      const MappedFile mapped(path, MAP_SHARED);
		      std::uint32_t *word = first_word(mapped);
		      const timespec patience = {kPatience, 0};

		      return syscall(SYS_futex, word, FUTEX_WAIT, *word,
				     &patience, nullptr, 0) == 0
				     ? 0
				     : 1;
	      })
	{
	}
	/// Whether it sleeps in futex(2) soon().
	[[nodiscard]] bool waits() const
	{
		const std::string call =
			"/proc/" + std::to_string(child_.pid()) + "/syscall";
		const std::string futex = std::to_string(SYS_futex) + " ";

		return soon([&] { return read_text(call).starts_with(futex); });
	}
	/// Waits for its end. Returns whether it was woken.
	bool woken()
	{
		return child_.wait() == 0;
	}

      private:
	Child child_;
};

/// How many waiters a wake of the file at @path finds.
long wake(const std::string &path)
{
	const MappedFile mapped(path, MAP_SHARED);

	return syscall(SYS_futex, first_word(mapped), FUTEX_WAKE, 1, nullptr,
		       nullptr, 0);
}

class MappedUse : public AccessPath {};

TEST_P(MappedUse, FutexWakeReachesAWaiterOnTheOtherImage)
{
	FutexWaiter waiter(a().at(kCommon));

	ASSERT_TRUE(waiter.waits());
	EXPECT_EQ(wake(b().at(kCommon)), shared() ? 1 : 0);
	if (!shared()) {
		EXPECT_EQ(wake(a().at(kCommon)), 1);
	}
	EXPECT_TRUE(waiter.woken());
}

/// What the kernel tells of a mapping of this process.
struct MappingFigures {
	std::uint64_t rss = 0; ///< in KB
	std::uint64_t pss = 0; ///< in KB
	/// Pages that nobody else has mapped, by /proc/self/pagemap.
	std::uint64_t exclusive = 0;
};

/// "Rss", "Pss" of /proc/self/smaps for the mapping at @address, in KB.
std::uint64_t smaps_value(std::uintptr_t address, const std::string &key)
{
	std::istringstream lines(read_text("/proc/self/smaps"));
	std::ostringstream start;
	bool here = false;

	start << std::hex << address << '-';
	for (std::string line; std::getline(lines, line);) {
		if (line.starts_with(start.str()))
			here = true;
		else if (here && line.starts_with(key + ":"))
			return std::stoull(line.substr(key.size() + 1));
	}
	throw_error(ENOENT, key + " in /proc/self/smaps");
}

MappingFigures figures(const MappedFile &mapped)
{
	constexpr std::uint64_t kExclusive = std::uint64_t{1} << 56;
	const auto address =
		reinterpret_cast<std::uintptr_t>(mapped.bytes().data());
	std::vector<std::uint64_t> entries((mapped.bytes().size() + kPage - 1) /
					   kPage);
	MappingFigures seen;

	seen.rss = smaps_value(address, "Rss");
	seen.pss = smaps_value(address, "Pss");
	const UniqueFd pagemap = open_file("/proc/self/pagemap", O_RDONLY);
	read_at(pagemap.get(), std::as_writable_bytes(std::span(entries)),
		address / kPage * sizeof(std::uint64_t), "/proc/self/pagemap");
	for (const std::uint64_t entry : entries)
		seen.exclusive += (entry & kExclusive) != 0;
	return seen;
}

/// A process that has all of a file mapped while this is in scope.
class Mapper {
      public:
	explicit Mapper(const std::string &path) : ends_(make_pipe())
	{
		child_.emplace([this, &path] {
			ends_[0].second.reset();
			const MappedFile mapped(path, MAP_SHARED);
			unsigned int sum = 0;
			char byte = 0;

			for (std::size_t at = 0; at < mapped.bytes().size();
			     at += kPage)
				sum += std::to_integer<unsigned int>(
					mapped.bytes()[at]);
			const volatile unsigned int used = sum;
			static_cast<void>(used);
			if (write(ends_[1].second.get(), "", 1) != 1)
				return 1;
			// Until the other end goes.
			return read(ends_[0].first.get(), &byte, 1) == 0 ? 0
									 : 1;
		});
		char byte = 0;
		if (read(ends_[1].first.get(), &byte, 1) != 1)
			throw_errno("read from a child process");
	}
	Mapper(const Mapper &) = delete;
	Mapper &operator=(const Mapper &) = delete;
	Mapper(Mapper &&) = delete;
	Mapper &operator=(Mapper &&) = delete;
	~Mapper()
	{
		ends_[0].second.reset();
		EXPECT_EQ(child_->wait(), 0);
	}

      private:
	using Pipe = std::pair<UniqueFd, UniqueFd>; ///< read, write

	static std::array<Pipe, 2> make_pipe()
	{
		std::array<Pipe, 2> pipes;

		for (Pipe &each : pipes) {
			std::array<int, 2> ends{};

			if (pipe2(ends.data(), O_CLOEXEC) != 0)
				throw_errno("pipe2");
			each = {UniqueFd(ends[0]), UniqueFd(ends[1])};
		}
		return pipes;
	}

	std::array<Pipe, 2> ends_;
	std::optional<Child> child_;
};

TEST_P(MappedUse, FiguresOfAMappingTellWhetherTheOtherImageIsMapped)
{
	const MappedFile mapped(a().at(kCommon), MAP_SHARED);
	const std::uint64_t all = kCommonPages * kPage / 1024;

	ASSERT_EQ(difference(mapped.bytes(), content()), "");
	const MappingFigures before = figures(mapped);
	EXPECT_EQ(before.rss, all);
	EXPECT_EQ(before.pss, all);
	EXPECT_EQ(before.exclusive, kCommonPages);
	{
		// It does not inherit ours.
		ASSERT_EQ(
			madvise(const_cast<std::byte *>(mapped.bytes().data()),
				mapped.bytes().size(), MADV_DONTFORK),
			0);
		const Mapper other(b().at(kCommon));
		const MappingFigures during = figures(mapped);

		EXPECT_EQ(during.rss, all);
		EXPECT_EQ(during.pss, shared() ? all / 2 : all);
		EXPECT_EQ(during.exclusive, shared() ? 0 : kCommonPages);
	}
	const MappingFigures after = figures(mapped);
	EXPECT_EQ(after.pss, all);
	EXPECT_EQ(after.exclusive, kCommonPages);
}

INSTANTIATE_ON_BOTH_PAIRS(MappedUse);

/// Two images in one domain each.
class MappedUseElsewhere : public ShareTest {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({"dup-a", "dup-b"});
		if (IsSkipped())
			return;
		a_ = mount_shared("dup-a");
		b_ = mount_image(images().find("dup-b"), Via::kDisk,
				 MountOptions::sharing(DomainId::random()));
	}
	void TearDown() override
	{
		a_.reset();
		b_.reset();
		ShareTest::TearDown();
	}
	[[nodiscard]] std::string a() const
	{
		return a_->at(kCommon);
	}
	[[nodiscard]] std::string b() const
	{
		return b_->at(kCommon);
	}

      private:
	std::optional<Mount> a_;
	std::optional<Mount> b_;
};

TEST_F(MappedUseElsewhere, FutexWakeDoesNotReachAnotherDomain)
{
	FutexWaiter waiter(a());

	ASSERT_TRUE(waiter.waits());
	EXPECT_EQ(wake(b()), 0);
	EXPECT_EQ(wake(a()), 1);
	EXPECT_TRUE(waiter.woken());
}

TEST_F(MappedUseElsewhere, FiguresOfAMappingTellNothingOfAnotherDomain)
{
	const MappedFile mapped(a(), MAP_SHARED | MAP_POPULATE);
	const Mapper other(b());
	const MappingFigures seen = figures(mapped);

	EXPECT_EQ(seen.pss, seen.rss);
	EXPECT_EQ(seen.exclusive, kCommonPages);
}

} // namespace
} // namespace erofs_share
