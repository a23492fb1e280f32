// SPDX-License-Identifier: GPL-2.0-only
// A file whose first open could not attach it: it stays unshared, for all who
// have it open or mapped or open it later, until its inode is evicted. Anything
// else would leave its users on two mappings, and whoever looks for them
// through the inode would find some of them.
#include "base/error.h"
#include "base/fd.h"
#include "machine/fault_injection.h"
#include "support/access_fixture.h"
#include "support/evict_inodes.h"
#include "support/faulty_image.h"

#include <array>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace erofs_share {
namespace {

/// Opens the file at @path for the first time while @image's device fails, so
/// that its fingerprint cannot be read.
UniqueFd open_unattached(FaultyImage &image, const std::string &path)
{
	// The inode is there: nothing but the fingerprint has to be read.
	const UniqueFd inode = open_file(path, O_PATH);

	drop_caches(Drop::kPages);
	image.device().fail_reads();
	UniqueFd fd = open_file(path, O_RDONLY);
	image.device().pass_reads();
	return fd;
}

class FailedAttach : public ShareTest,
		     public testing::WithParamInterface<FaultyCase> {};

TEST_P(FailedAttach, LeavesTheFileUnsharedUntilItsInodeIsEvicted)
{
	constexpr const char *kFile = "twin1";
	const FileSpec &file = find_tree("mix").file(kFile);
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	const Mount mount = image.mount(sharing());
	const Mount sound = mount_shared("enc-chunk");
	const std::string path = mount.at(kFile);
	const std::uint64_t all = total_pages(sound.at(kFile));
	{
		const UniqueFd first = open_unattached(image, path);
		std::vector<std::byte> bytes(file.size);

		ASSERT_EQ(read_at(first.get(), bytes, 0, path), file.size);
		EXPECT_EQ(difference(bytes, file), "");
		ASSERT_EQ(resident_pages(sound.at(kFile)), 0U)
			<< "the first open was shared";

		// Each of these opens it once more.
		EXPECT_EQ(difference(path, file), "");
		EXPECT_EQ(resident_pages(path), all);
		EXPECT_EQ(resident_pages(sound.at(kFile)), 0U);
		EXPECT_EQ(posix_fadvise(first.get(), 0, 0, POSIX_FADV_DONTNEED),
			  0);
		EXPECT_EQ(resident_pages(path), 0U);
		read_through(sound.at(kFile));
		EXPECT_EQ(resident_pages(path), 0U) << "a later open is shared";
	}
	// Closed, but its inode is still there.
	EXPECT_EQ(resident_pages(path), 0U) << "a later open is shared";
	EXPECT_EQ(difference(path, file), "");
	evict_inodes(mount);
	read_through(sound.at(kFile));
	EXPECT_EQ(resident_pages(path), all) << "it is not shared again";
	EXPECT_EQ(difference(path, file), "");
}

INSTANTIATE_TEST_SUITE_P(
	Layouts, FailedAttach,
	testing::Values(FaultyCase{"enc-plain", Backing::kDisk},
			FaultyCase{"enc-lz4", Backing::kDisk},
			FaultyCase{"enc-plain", Backing::kFile}),
	[](const auto &info) { return case_name(info.param); });

/// A uprobe, for as long as this lives.
class Uprobe {
      public:
	static bool supported()
	{
		return access(kEvents, W_OK) == 0;
	}
	/// Puts it @offset bytes into the file at @path. Throws.
	Uprobe(const std::string &path, std::uint64_t offset)
	{
		// Else the kernel patches its scheduler to know the names of
		// tasks, which emulated CPUs do not always survive.
		settings_.set("/sys/kernel/tracing/options/record-cmd", "0");
		write_text(kEvents, "p:" + std::string(kName) + " " + path +
					    ":" + std::to_string(offset));
		enable("1");
	}
	Uprobe(const Uprobe &) = delete;
	Uprobe &operator=(const Uprobe &) = delete;
	Uprobe(Uprobe &&) = delete;
	Uprobe &operator=(Uprobe &&) = delete;
	~Uprobe()
	{
		try {
			enable("0");
			write_text(kEvents, "-:" + std::string(kName));
		} catch (const std::system_error &error) {
			ADD_FAILURE() << error.what();
		}
	}

      private:
	static constexpr const char *kEvents =
		"/sys/kernel/tracing/uprobe_events";
	static constexpr const char *kName = "erofs_share/probe";

	static void enable(const char *value)
	{
		write_text(std::string("/sys/kernel/tracing/events/") + kName +
				   "/enable",
			   value);
	}

	Settings settings_;
};

/// Where the first instruction of the program at @path lies in the file.
std::uint64_t entry_offset(const std::string &path)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	Elf64_Ehdr header{};

	read_at(fd.get(), std::as_writable_bytes(std::span(&header, 1)), 0,
		path);
	std::vector<Elf64_Phdr> segments(header.e_phnum);
	read_at(fd.get(), std::as_writable_bytes(std::span(segments)),
		header.e_phoff, path);
	for (const Elf64_Phdr &segment : segments)
		if (segment.p_type == PT_LOAD &&
		    header.e_entry >= segment.p_vaddr &&
		    header.e_entry < segment.p_vaddr + segment.p_filesz)
			return header.e_entry - segment.p_vaddr +
			       segment.p_offset;
	throw_error(ENOEXEC, path);
}

/// The instruction at an offset of an open program, mapped as the loader maps
/// it.
class MappedText {
      public:
	MappedText(const UniqueFd &fd, std::uint64_t offset)
	    : in_page_(offset % kPage),
	      page_(mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE,
			 fd.get(), static_cast<off_t>(offset - in_page_)))
	{
		if (page_ == MAP_FAILED)
			throw_errno("mmap");
	}
	MappedText(const MappedText &) = delete;
	MappedText &operator=(const MappedText &) = delete;
	MappedText(MappedText &&) = delete;
	MappedText &operator=(MappedText &&) = delete;
	~MappedText()
	{
		munmap(page_, kPage);
	}
	/// Its first byte, as it is now.
	[[nodiscard]] unsigned int byte() const
	{
		return static_cast<const volatile unsigned char *>(
			page_)[in_page_];
	}

      private:
	static constexpr std::size_t kPage = 4096;

	std::size_t in_page_;
	void *page_;
};

class ProbedProgram : public ShareTest {
      protected:
	static constexpr const char *kProgram = "usr/bin/sha256sum";
	static constexpr unsigned int kBreakpoint = 0xcc;

	void SetUp() override
	{
		ShareTest::SetUp();
		need({"program-a"});
		if (!IsSkipped() && !Uprobe::supported())
			GTEST_SKIP() << "this kernel has no uprobe_events";
		if (!IsSkipped())
			offset_ = entry_offset(
				mount_image(images().find("program-a"),
					    Via::kDisk)
					.at(kProgram));
	}
	[[nodiscard]] std::uint64_t offset() const
	{
		return offset_;
	}

      private:
	std::uint64_t offset_ = 0;
};

TEST_F(ProbedProgram, MappedAfterAFailedAttachLosesItsProbeWhenThatGoes)
{
	FaultyImage image({"program-a", Backing::kDisk});
	const Mount mount = image.mount(sharing());
	const std::string path = mount.at(kProgram);
	const UniqueFd first = open_unattached(image, path);
	const MappedText text(first, offset());
	const unsigned int original = text.byte();

	ASSERT_NE(original, kBreakpoint);
	{
		const Uprobe probe(path, offset());

		EXPECT_EQ(text.byte(), kBreakpoint);
		// This must not take the inode to another mapping.
		read_through(path);
	}
	EXPECT_EQ(text.byte(), original) << "the probe was never taken out";
}

TEST_F(ProbedProgram, MappedAfterAFailedAttachGetsAProbeThatComesLater)
{
	FaultyImage image({"program-a", Backing::kDisk});
	const Mount mount = image.mount(sharing());
	const std::string path = mount.at(kProgram);
	const UniqueFd first = open_unattached(image, path);
	const MappedText text(first, offset());
	const UniqueFd second = open_file(path, O_RDONLY);
	const MappedText later(second, offset());
	const unsigned int original = text.byte();

	ASSERT_EQ(later.byte(), original);
	{
		const Uprobe probe(path, offset());

		EXPECT_EQ(text.byte(), kBreakpoint) << "mapped first";
		EXPECT_EQ(later.byte(), kBreakpoint) << "mapped later";
	}
	EXPECT_EQ(text.byte(), original);
	EXPECT_EQ(later.byte(), original);
}

/// A probe belongs to the file that it was put into, whoever else has its
/// bytes.
TEST_F(ProbedProgram, SharedProbeIsInItsOwnImagesProcessesOnly)
{
	const Mount a = mount_shared("program-a");
	const Mount b = mount_shared("program-b");
	const UniqueFd mine = open_file(a.at(kProgram), O_RDONLY);
	const UniqueFd other = open_file(b.at(kProgram), O_RDONLY);
	const MappedText text(mine, offset());
	const MappedText others(other, offset());
	const unsigned int original = text.byte();
	{
		const Uprobe probe(a.at(kProgram), offset());

		EXPECT_EQ(text.byte(), kBreakpoint);
		EXPECT_EQ(others.byte(), original);
	}
	EXPECT_EQ(text.byte(), original);
	EXPECT_EQ(others.byte(), original);
}

} // namespace
} // namespace erofs_share
