// SPDX-License-Identifier: GPL-2.0-only
// Images that somebody crafted against those who share with them: contents that
// look like an inode, a name of fingerprints that no attribute can have, and a
// device that changes its mind between two opens.
#include "base/child.h"
#include "base/error.h"
#include "content/fingerprint_cases.h"
#include "content/image_builder.h"
#include "erofs/content_hash.h"
#include "os/loop_device.h"
#include "support/access_fixture.h"
#include "support/case_image.h"
#include "support/fixture.h"

#include <array>
#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <thread>

namespace erofs_share {

namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kVictimSize = 20001;
constexpr const char *kVictim = "low";

void write_file(const std::string &path, const std::string &bytes)
{
	write_all(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).get(),
		  std::as_bytes(std::span(bytes)), path);
}

void put(std::string &to, std::uint64_t value, std::size_t width)
{
	for (std::size_t i = 0; i < width; i++, value >>= 8)
		to += static_cast<char>(value & 0xff);
}

class CraftedImage : public ShareTest {
      protected:
	/// The value that mkfs.erofs gives kVictim.
	static std::string fingerprint()
	{
		const std::string path = std::string("/run/") + kVictim;
		const FileSpec &file = find_tree(kCaseTree).file(kVictim);
		std::string bytes(file.size, '\0');

		fill_content(file, 0, std::as_writable_bytes(std::span(bytes)));
		write_file(path, bytes);
		return hash_files({{.path = path}}, "").at(0);
	}

	/// The contents of a file: a block with an inode that has kVictim's
	/// size and fingerprint and its data at block @data, then that data.
	static std::string inode_as_contents(std::uint64_t data)
	{
		const std::string value = fingerprint();
		std::string bytes;

		put(bytes, 0, 2);  // compact, flat
		put(bytes, 12, 2); // 56 bytes of attributes
		put(bytes, 0100644, 2);
		put(bytes, 1, 2);
		put(bytes, kVictimSize, 4);
		put(bytes, 0, 4);
		put(bytes, data, 4);
		put(bytes, 77, 4);
		put(bytes, 0, 8);
		put(bytes, 0, 12); // no shared attributes
		put(bytes, 0, 1);
		put(bytes, 0x80, 1); // the name is the first prefix
		put(bytes, value.size(), 2);
		bytes += value;
		bytes.resize(kBlock, 'P');
		bytes.append(5 * kBlock, 'E');
		return bytes;
	}

	/// The image that mkfs.erofs makes of a file with the contents @bytes.
	static std::string made_of(const std::string &bytes)
	{
		std::filesystem::create_directories("/run/tree");
		write_file("/run/tree/payload", bytes);
		const ProgramResult result = run_program(
			"/",
			{"/sbin/mkfs.erofs", "-b4096", "-T1", "--all-time",
			 "-U00000000-0000-4000-8000-000000000000",
			 "--xattr-inode-digest", kImage, "/run/tree"},
			Capture::kAll);

		if (result.status != 0)
			throw_error(EINVAL, result.output);
		std::string image(std::filesystem::file_size(kImage), '\0');
		read_at(open_file(kImage, O_RDONLY).get(),
			std::as_writable_bytes(std::span(image)), 0, kImage);
		return image;
	}

	static constexpr const char *kImage = "/run/crafted.erofs";
};

TEST_F(CraftedImage, HandleThatNamesContentsAttachesNothing)
{
	const std::string mark(100, 'P');
	const std::size_t at =
		made_of(inode_as_contents(0)).find(mark) / kBlock * kBlock;
	const std::string image = made_of(inode_as_contents(at / kBlock + 1));
	std::uint32_t metadata = 0;

	ASSERT_EQ(image.find(mark) / kBlock * kBlock, at);
	std::memcpy(&metadata, image.data() + 1024 + 40, sizeof(metadata));
	const std::uint64_t nid = (at - metadata * std::uint64_t{kBlock}) / 32;
	const Mount honest = mount_case(case_file("honest"), sharing());
	const Mount crafted = mount_case(kImage, sharing());
	const UniqueFd root = open_file(crafted.path(), O_RDONLY | O_DIRECTORY);
	alignas(file_handle) std::array<std::byte, sizeof(file_handle) + 12>
		room{};
	auto *handle = reinterpret_cast<file_handle *>(room.data());
	const std::array<std::uint32_t, 3> words = {
		static_cast<std::uint32_t>(nid >> 32),
		static_cast<std::uint32_t>(nid), 0};

	handle->handle_bytes = sizeof(words);
	handle->handle_type = 0x81;
	std::memcpy(room.data() + sizeof(file_handle), words.data(),
		    sizeof(words));
	const UniqueFd fd(
		open_by_handle_at(root.get(), handle, O_RDONLY | O_CLOEXEC));
	// A kernel that knows better is as good.
	if (!fd.valid())
		GTEST_SKIP() << "the kernel refuses it: " << errno_name(errno);
	std::vector<std::byte> bytes(kVictimSize);

	ASSERT_EQ(read_at(fd.get(), bytes, 0, kImage), kVictimSize);
	ASSERT_EQ(static_cast<char>(bytes[0]), 'E');
	EXPECT_EQ(resident_pages(honest.at(kVictim)), 0U);
	EXPECT_EQ(difference(honest.at(kVictim),
			     find_tree(kCaseTree).file(kVictim)),
		  "");
}

TEST_F(CraftedImage, NameThatNoAttributeCanReferToIsRefused)
{
	RawImage raw;
	RawFile file;

	file.name = kCaseFile;
	file.data = std::string(kBlock, 'd');
	// The number of prefix 129 is that of prefix 1 here.
	file.attributes = {{0x81, "", fingerprint()}};
	raw.files = {file};
	raw.prefixes.assign(130, {1, "other."});
	raw.prefixes[129] = {4, "erofs.fingerprint"};
	raw.fingerprint_prefix = 129;
	write_file(kImage, build_image(raw));
	const LoopDevice loop(kImage, LoopIo::kBuffered);

	EXPECT_THAT(try_mount_erofs(loop.path(), sharing()).second,
		    FailsWith(EUCLEAN));
	EXPECT_THAT(try_mount_erofs(loop.path()).second, Succeeds());
}

// Several open a file for the first time at once, and each reads another
// fingerprint, since somebody writes to the device.
TEST_F(CraftedImage, FingerprintsThatChangeUnderFirstOpensDoNoHarm)
{
	constexpr std::size_t kFiles = 40;
	constexpr int kOpeners = 3;
	constexpr int kRounds = 150;
	RawImage raw;
	std::vector<off_t> places;

	raw.prefixes = {{4, "erofs.fingerprint"}};
	for (std::size_t i = 0; i < kFiles; i++) {
		RawFile file;

		file.name = "f" + std::to_string(10 + i);
		file.data = std::string(kBlock, 'd');
		file.attributes = {
			{0x80, "", "fp" + file.name + std::string(39, 'A')}};
		raw.files.push_back(file);
	}
	const std::string bytes = build_image(raw);

	for (const RawFile &file : raw.files)
		places.push_back(
			static_cast<off_t>(bytes.find("fp" + file.name) + 10));
	write_file(kImage, bytes);
	LoopOptions options;
	options.io = LoopIo::kBuffered;
	options.writable = true;
	const LoopDevice loop(kImage, options);
	const Mount mount = mount_erofs(loop.path(), sharing());
	const UniqueFd device = open_file(loop.path(), O_WRONLY);
	std::atomic<bool> stop{false};
	std::atomic<int> round{0};
	std::atomic<int> done{0};
	std::atomic<int> wrong{0};
	std::vector<std::jthread> threads;

	threads.emplace_back([&] {
		for (char c = 'A'; !stop; c = c == 'Z' ? 'A' : c + 1)
			for (const off_t place : places)
				if (pwrite(device.get(), &c, 1, place) != 1)
					wrong++;
	});
	for (int i = 0; i < kOpeners; i++)
		threads.emplace_back([&] {
			for (int mine = 1; mine <= kRounds; mine++) {
				while (round < mine)
					std::this_thread::yield();
				for (const RawFile &file : raw.files) {
					const UniqueFd fd(open(
						mount.at(file.name).c_str(),
						O_RDONLY | O_CLOEXEC));
					char byte = 0;

					if (read(fd.get(), &byte, 1) != 1 ||
					    byte != 'd')
						wrong++;
				}
				done++;
			}
		});
	for (int i = 0; i < kRounds; i++) {
		done = 0;
		round++;
		while (done < kOpeners)
			std::this_thread::yield();
		drop_caches(Drop::kSlab);
	}
	stop = true;
	threads.clear();
	EXPECT_EQ(wrong, 0);
}

} // namespace

} // namespace erofs_share
