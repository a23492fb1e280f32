// SPDX-License-Identifier: GPL-2.0-only
// Executing: a real dynamic program, its loader and its libraries, run from one
// image and from another, and through an overlay of both.
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/overlay.h"
#include "support/access_fixture.h"

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <sys/xattr.h>

namespace erofs_share {
namespace {

namespace fs = std::filesystem;

constexpr const char *kProgram = "usr/bin/sha256sum";

/// The SHA-256 of @path as its fingerprint attribute has it, in hexadecimal
/// digits.
std::string fingerprint(const std::string &path)
{
	constexpr std::string_view kKind = "sha256:";
	std::array<unsigned char, 256> value{};
	const ssize_t length =
		getxattr(path.c_str(), "trusted.erofs.fingerprint",
			 value.data(), value.size());
	std::string digits;

	if (length < 0)
		throw_errno("getxattr trusted.erofs.fingerprint " + path);
	for (auto at = static_cast<ssize_t>(kKind.size()); at < length; at++) {
		std::array<char, 3> two{};

		std::snprintf(two.data(), two.size(), "%02x",
			      value.at(static_cast<std::size_t>(at)));
		digits += two.data();
	}
	return digits;
}

/// Paths of all regular files below @root, relative to it.
std::vector<std::string> files_below(const std::string &root)
{
	std::vector<std::string> files;

	for (const auto &entry : fs::recursive_directory_iterator(root))
		if (entry.is_regular_file())
			files.push_back(
				fs::relative(entry.path(), root).string());
	return files;
}

class ExecPath : public AccessPath {
      protected:
	/// Runs the program with @root as its root on each file there and
	/// compares what it printed with the files' fingerprints, which @image,
	/// mounted with the same files, has.
	static void expect_sums(const std::string &root, const Mount &image)
	{
		const std::vector<std::string> files =
			files_below(image.path());
		std::vector<std::string> argv = {std::string("/") + kProgram};
		std::string expected;

		// The program, its loader and at least one library.
		EXPECT_GE(files.size(), 3U);
		for (const std::string &file : files) {
			argv.push_back("/" + file);
			expected += fingerprint(image.at(file)) + "  /" + file +
				    "\n";
		}
		const ProgramResult result = run_program(root, argv);
		EXPECT_EQ(result.status, 0);
		EXPECT_EQ(result.output, expected);
	}
};

TEST_P(ExecPath, ProgramComputesTheFingerprintsOfItsImage)
{
	expect_sums(a().path(), a());
	expect_sums(b().path(), b());
}

TEST_P(ExecPath, ProgramAndLibrariesAreOneCopy)
{
	const ProgramResult result = run_program(
		a().path(), {std::string("/") + kProgram, "--version"});

	EXPECT_EQ(result.status, 0);
	EXPECT_THAT(result.output, testing::HasSubstr("sha256sum"));
	for (const std::string &file : files_below(a().path()))
		expect_one_copy(file);
}

TEST_P(ExecPath, RunningTheProgramOfTheOtherImageAddsNoPageCache)
{
	const std::vector<std::string> files = files_below(a().path());

	expect_sums(a().path(), a());
	// Not to count what reading the other image's directories takes.
	for (const std::string &file : files)
		fingerprint(b().at(file));
	const auto before = static_cast<std::int64_t>(cached_bytes());
	expect_sums(b().path(), b());
	const std::int64_t growth =
		static_cast<std::int64_t>(cached_bytes()) - before;
	std::int64_t size = 0;
	for (const std::string &file : files)
		size += static_cast<std::int64_t>(fs::file_size(a().at(file)));
	if (shared()) {
		EXPECT_LT(growth, size / 8);
	} else {
		EXPECT_GT(growth, size * 7 / 8);
	}
}

TEST_P(ExecPath, RunningProgramKeepsItsMountBusy)
{
	std::array<int, 2> ends{};

	ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
	const UniqueFd input(ends[0]);
	UniqueFd feed(ends[1]);
	const std::string program = std::string("/") + kProgram;
	std::array<char *, 2> argv = {const_cast<char *>(program.c_str()),
				      nullptr};
	const std::string expected = a().at(kProgram);
	{
		const UniqueFd null = open_file("/dev/null", O_WRONLY);
		Child child([&] {
			if (dup2(input.get(), 0) < 0 ||
			    dup2(null.get(), 1) < 0 ||
			    chroot(a().path().c_str()) != 0 || chdir("/") != 0)
				return 126;
			execv(argv[0], argv.data());
			return 127;
		});
		const std::string link =
			"/proc/" + std::to_string(child.pid()) + "/exe";

		EXPECT_TRUE(soon([&] {
			return fs::read_symlink(link) == expected;
		})) << "exe is "
		    << fs::read_symlink(link);
		EXPECT_EQ(take_a().try_unmount(), EBUSY);
		// The end of its input is the end of the program.
		feed.reset();
		EXPECT_EQ(child.wait(), 0);
	}
	EXPECT_EQ(take_a().try_unmount(), 0);
}

TEST_P(ExecPath, ProgramRunsThroughAnOverlayOfBothImages)
{
	const Mount overlay = mount_overlay({a().path(), b().path()});

	expect_sums(overlay.path(), b());
	for (const std::string &file : files_below(a().path()))
		expect_one_copy(file);
}

constexpr AccessCase kPlainPair[] = {{Sharing::kOff, "program-a", "program-b"},
				     {Sharing::kOn, "program-a", "program-b"}};
constexpr AccessCase kMixedPair[] = {
	{Sharing::kOff, "program-a", "program-lz4hc"},
	{Sharing::kOn, "program-a", "program-lz4hc"}};

INSTANTIATE_TEST_SUITE_P(Uncompressed, ExecPath, testing::ValuesIn(kPlainPair),
			 sharing_name);
INSTANTIATE_TEST_SUITE_P(WithLz4hc, ExecPath, testing::ValuesIn(kMixedPair),
			 sharing_name);

} // namespace
} // namespace erofs_share
