// SPDX-License-Identifier: GPL-2.0-only
// The process that reads an image for the mount helper: what it finds, that it
// can do nothing else, and that nobody waits for it for long.
#include "erofs/image_look.h"

#include "machine/dm_device.h"
#include "support/fixture.h"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::HasSubstr;

class ImageLookTest : public ErofsTest {};

UniqueFd open_image(const std::string &path)
{
	return open_file(path, O_RDONLY);
}

std::uint64_t files_with_data(const Tree &tree)
{
	std::uint64_t count = 0;

	for (const FileSpec &file : tree.files)
		count += file.size > 0 ? 1 : 0;
	return count;
}

TEST_F(ImageLookTest, CountsTheFilesOfAnImage)
{
	for (const char *name : {"enc-plain", "4k-lz4", "512-inline"}) {
		const Image &image = images().find(name);

		for (const std::string &path : {image.disk(), image.file()}) {
			const auto seen = look_at_image(open_image(path));

			ASSERT_TRUE(seen) << path;
			EXPECT_EQ(seen->files, files_with_data(*image.tree));
			EXPECT_EQ(seen->named, seen->files) << path;
			EXPECT_EQ(seen->ambiguous, 0U) << path;
			EXPECT_EQ(seen->declared, 1U) << path;
			EXPECT_EQ(seen->complete, 1U) << path;
		}
	}
}

TEST_F(ImageLookTest, AnImageThatDeclaresNothingSaysNothing)
{
	const auto seen = look_at_image(
		open_image(images().find("no-fingerprint").disk()));

	ASSERT_TRUE(seen);
	EXPECT_EQ(seen->declared, 0U);
}

TEST_F(ImageLookTest, WhatIsNoImageHasNoAnswer)
{
	EXPECT_FALSE(look_at_image(UniqueFd()));
	EXPECT_FALSE(look_at_image(open_image("/dev/null")));
	EXPECT_FALSE(look_at_image(open_image("/")));
	EXPECT_FALSE(look_at_image(open_image("/proc/self/exe")));
}

/// The value of @field in the status of process @pid, words apart by spaces.
std::string status_of(pid_t pid, const std::string &field)
{
	std::ifstream lines("/proc/" + std::to_string(pid) + "/status");

	for (std::string line; std::getline(lines, line);)
		if (line.starts_with(field + ":\t")) {
			std::string value = line.substr(field.size() + 2);
			std::replace(value.begin(), value.end(), '\t', ' ');
			return value;
		}
	return "no " + field;
}

/// The only child of this process; 0 if there is none.
pid_t only_child()
{
	const std::string own = std::to_string(getpid());
	pid_t child = 0;

	for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
		const std::string name = entry.path().filename();

		if (name.find_first_not_of("0123456789") == std::string::npos &&
		    status_of(std::stoi(name), "PPid") == own)
			child = std::stoi(name);
	}
	return child;
}

/// What /proc/PID/limits says in the line of @limit.
std::string limit_of(pid_t pid, const std::string &limit)
{
	std::istringstream lines(
		read_text("/proc/" + std::to_string(pid) + "/limits"));

	for (std::string line; std::getline(lines, line);)
		if (line.starts_with(limit))
			return line.substr(limit.size());
	return "";
}

TEST_F(ImageLookTest, TheReaderHasNoPrivilegesAndOnlyTheImage)
{
	DmDevice device(images().find("enc-plain").disk());
	HeldReads held(device);
	bool answered = true;
	const auto start = std::chrono::steady_clock::now();
	std::thread looker([&] {
		answered = look_at_image(open_image(device.path())).has_value();
	});

	while (device.reads_held() == 0)
		std::this_thread::yield();
	const pid_t child = only_child();
	EXPECT_GT(child, 0);
	EXPECT_EQ(status_of(child, "Uid"), "65534 65534 65534 65534");
	EXPECT_EQ(status_of(child, "Gid"), "65534 65534 65534 65534");
	EXPECT_EQ(status_of(child, "Groups"), " ");
	EXPECT_EQ(status_of(child, "CapPrm"), "0000000000000000");
	EXPECT_EQ(status_of(child, "CapEff"), "0000000000000000");
	EXPECT_EQ(status_of(child, "NoNewPrivs"), "1");
	EXPECT_THAT(limit_of(child, "Max cpu time"), HasSubstr(" 2 "));
	EXPECT_THAT(limit_of(child, "Max file size"), HasSubstr(" 0 "));
	EXPECT_THAT(limit_of(child, "Max core file size"), HasSubstr(" 0 "));
	EXPECT_THAT(limit_of(child, "Max address space"),
		    HasSubstr(" 201326592 "));
	const std::filesystem::path fds("/proc/" + std::to_string(child) +
					"/fd");
	EXPECT_EQ(std::filesystem::read_symlink(fds / "0"), device.path());
	EXPECT_THAT(std::filesystem::read_symlink(fds / "1").string(),
		    HasSubstr("pipe:"));
	EXPECT_EQ(std::distance(std::filesystem::directory_iterator(fds),
				std::filesystem::directory_iterator()),
		  2);

	looker.join();
	EXPECT_FALSE(answered);
	EXPECT_LT(std::chrono::steady_clock::now() - start,
		  std::chrono::seconds(20));
	// It was told to end, and does so with its read at the latest.
	held.release();
	EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

} // namespace
} // namespace erofs_share
