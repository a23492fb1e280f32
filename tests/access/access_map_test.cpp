// SPDX-License-Identifier: GPL-2.0-only
// Memory mappings: what they show, what they refuse, and how they are read by
// other means than a load.
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "support/access_fixture.h"

#include <csignal>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

namespace erofs_share {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kPage = 4096;

/// A mapping of the first @length bytes of a file with any protection; unmapped
/// when it goes out of scope.
class Mapping {
      public:
	Mapping(const std::string &path, std::size_t length, int protection,
		int flags)
	    : length_(length)
	{
		const UniqueFd fd = open_file(path, O_RDONLY);

		address_ =
			mmap(nullptr, length, protection, flags, fd.get(), 0);
		error_ = address_ == MAP_FAILED ? errno : 0;
	}
	Mapping(const Mapping &) = delete;
	Mapping &operator=(const Mapping &) = delete;
	Mapping(Mapping &&) = delete;
	Mapping &operator=(Mapping &&) = delete;
	~Mapping()
	{
		if (error_ == 0)
			munmap(address_, length_);
	}
	/// The errno of mmap(2); 0 when it succeeded.
	[[nodiscard]] int error() const
	{
		return error_;
	}
	/// The mapped bytes. Throws if mmap(2) failed.
	[[nodiscard]] std::span<std::byte> bytes() const
	{
		if (error_ != 0)
			throw_error(error_, "mmap");
		return {static_cast<std::byte *>(address_), length_};
	}

      private:
	void *address_ = nullptr;
	std::size_t length_;
	int error_ = 0;
};

/// Whether @memory, a /proc/self/mem, takes writes to read-only memory: kernels
/// can be told to refuse.
bool forced_writes_work(const UniqueFd &memory)
{
	const std::byte byte{};
	void *page = mmap(nullptr, kPage, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		throw_errno("mmap");
	const ssize_t put = pwrite(
		memory.get(), &byte, 1,
		static_cast<off_t>(reinterpret_cast<std::uintptr_t>(page)));
	munmap(page, kPage);
	return put == 1;
}

class MapPath : public AccessPath {
      protected:
	/// Maps kCommon of a() whole with @flags and checks all of it.
	void expect_mapping(int flags)
	{
		{
			const MappedFile mapped(a().at(kCommon), flags);

			EXPECT_EQ(difference(mapped.bytes(), content()), "");
		}
		expect_one_copy();
		expect_rest_adds_no_copy();
	}
};

TEST_P(MapPath, PrivateMappingShowsTheBytesAndOneCopy)
{
	expect_mapping(MAP_PRIVATE);
}

TEST_P(MapPath, SharedReadOnlyMappingShowsTheBytesAndOneCopy)
{
	expect_mapping(MAP_SHARED);
}

TEST_P(MapPath, PopulatedMappingShowsTheBytesAndOneCopy)
{
	expect_mapping(MAP_SHARED | MAP_POPULATE);
}

TEST_P(MapPath, MappingsOfBothImagesFaultedByTurnsShowTheBytes)
{
	const MappedFile first(a().at(kCommon), MAP_SHARED);
	const MappedFile second(b().at(kCommon), MAP_PRIVATE);

	for (std::size_t at = 0; at + kPage < kCommonBytes; at += 5 * kPage) {
		const MappedFile &mapped = at / kPage % 2 == 0 ? first : second;

		EXPECT_EQ(difference(mapped.bytes().subspan(at, kPage),
				     content(), at),
			  "");
	}
	EXPECT_EQ(difference(first.bytes(), content()), "");
	EXPECT_EQ(difference(second.bytes(), content()), "");
}

TEST_P(MapPath, MappingOutlivesItsDescriptorAndADroppedCache)
{
	const MappedFile mapped(a().at(kCommon), MAP_SHARED);

	EXPECT_EQ(difference(mapped.bytes(), content()), "");
	drop_caches(Drop::kAll);
	EXPECT_EQ(difference(mapped.bytes(), content()), "");
}

TEST_P(MapPath, WritingToAPrivateMappingChangesNoOtherViewOfTheFile)
{
	const Mapping written(a().at(kCommon), kCommonBytes,
			      PROT_READ | PROT_WRITE, MAP_PRIVATE);
	const MappedFile other(b().at(kCommon), MAP_SHARED);

	for (std::size_t at = 0; at < kCommonBytes; at += kPage)
		written.bytes()[at] ^= std::byte{0xff};
	EXPECT_NE(difference(written.bytes(), content()), "");
	EXPECT_EQ(difference(other.bytes(), content()), "");
	EXPECT_EQ(difference(a().at(kCommon), content()), "");
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
}

TEST_P(MapPath, WhatMappingsRefuseIsAsStock)
{
	expect_as_stock([](const std::string &mount) {
		const std::string path = mount + "/" + kCommon;
		const Mapping writable(path, kPage, PROT_READ | PROT_WRITE,
				       MAP_SHARED);
		const Mapping readable(path, kPage, PROT_READ, MAP_SHARED);
		const Mapping shared_exec(path, kPage, PROT_READ | PROT_EXEC,
					  MAP_SHARED);
		const Mapping validated(path, kPage, PROT_READ,
					MAP_SHARED_VALIDATE);
		// Not for file systems without DAX.
		const Mapping synchronous(path, kPage, PROT_READ,
					  MAP_SHARED_VALIDATE | MAP_SYNC);
		Observations seen = {
			{"shared_writable", errno_name(writable.error())},
			{"shared_exec", errno_name(shared_exec.error())},
			{"validated", errno_name(validated.error())},
			{"synchronous", errno_name(synchronous.error())}};

		const int result = mprotect(readable.bytes().data(), kPage,
					    PROT_READ | PROT_WRITE);
		seen["mprotect_to_write"] = errno_name(result == 0 ? 0 : errno);
		EXPECT_EQ(writable.error(), EACCES);
		EXPECT_EQ(seen["mprotect_to_write"], "EACCES");
		return seen;
	});
}

TEST_P(MapPath, BytesBehindTheEndInTheLastPageAreZero)
{
	const std::size_t mapped_bytes = kCommonPages * kPage;
	const Mapping mapped(a().at(kCommon), mapped_bytes, PROT_READ,
			     MAP_SHARED);
	const auto tail = mapped.bytes().subspan(kCommonBytes);

	EXPECT_EQ(Bytes(tail.begin(), tail.end()), Bytes(tail.size()));
	const Mapping other(b().at(kCommon), mapped_bytes, PROT_READ,
			    MAP_SHARED);
	const auto second = other.bytes().subspan(kCommonBytes);
	EXPECT_EQ(Bytes(second.begin(), second.end()), Bytes(second.size()));
}

TEST_P(MapPath, TouchingThePageBehindTheEndIsSigbus)
{
	const Mapping mapped(a().at(kCommon), (kCommonPages + 1) * kPage,
			     PROT_READ, MAP_SHARED);
	const volatile std::byte *beyond =
		mapped.bytes().data() + kCommonPages * kPage;
	Child child([&] { return std::to_integer<int>(*beyond); });

	EXPECT_EQ(child.wait(), 128 + SIGBUS);
	EXPECT_EQ(difference(a().at(kCommon), content()), "");
}

TEST_P(MapPath, ProcessVmReadvOfAMappingGivesTheBytesAndOneCopy)
{
	{
		const MappedFile mapped(a().at(kCommon), MAP_SHARED);
		Bytes bytes(kCommonBytes);
		const iovec here = {bytes.data(), bytes.size()};
		const iovec there = {
			const_cast<std::byte *>(mapped.bytes().data()),
			mapped.bytes().size()};

		EXPECT_EQ(process_vm_readv(getpid(), &here, 1, &there, 1, 0),
			  ssize_t{kCommonBytes});
		EXPECT_EQ(difference(bytes, content()), "");
	}
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(MapPath, ProcSelfMemShowsTheBytesOfAMapping)
{
	const MappedFile mapped(a().at(kCommon), MAP_PRIVATE);
	const UniqueFd memory = open_file("/proc/self/mem", O_RDONLY);
	Bytes bytes(kCommonBytes);

	EXPECT_EQ(
		read_at(memory.get(), bytes,
			reinterpret_cast<std::uintptr_t>(mapped.bytes().data()),
			"/proc/self/mem"),
		kCommonBytes);
	EXPECT_EQ(difference(bytes, content()), "");
	expect_one_copy();
}

TEST_P(MapPath, ForcedWriteThroughProcSelfMemStaysInItsPrivateMapping)
{
	const Mapping mapped(a().at(kCommon), kPage, PROT_READ, MAP_PRIVATE);
	const UniqueFd memory = open_file("/proc/self/mem", O_RDWR);
	const std::byte changed = ~mapped.bytes()[0];

	if (!forced_writes_work(memory))
		GTEST_SKIP() << "this kernel forces no writes to /proc/PID/mem";
	EXPECT_EQ(pwrite(memory.get(), &changed, 1,
			 static_cast<off_t>(reinterpret_cast<std::uintptr_t>(
				 mapped.bytes().data()))),
		  1)
		<< errno_name(errno);
	EXPECT_EQ(mapped.bytes()[0], changed);
	EXPECT_EQ(difference(a().at(kCommon), content()), "");
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
}

TEST_P(MapPath, ChildSeesTheBytesOfAMappingItInherits)
{
	const MappedFile mapped(a().at(kCommon), MAP_SHARED);
	Child child([&] {
		return difference(mapped.bytes(), content()).empty() ? 0 : 1;
	});

	EXPECT_EQ(child.wait(), 0);
	expect_one_copy();
}

INSTANTIATE_ON_BOTH_PAIRS(MapPath);

} // namespace
} // namespace erofs_share
