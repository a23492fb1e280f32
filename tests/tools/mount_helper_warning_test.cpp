// SPDX-License-Identifier: GPL-2.0-only
// What mount.erofs-share says of images that are mounted with sharing, and have
// files that share nothing all the same.
#include "support/mount_helper_fixture.h"

#include "base/fd.h"
#include "content/image_patch.h"

#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace erofs_share {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A copy of the image "hostile-a" whose file equal-before has two
/// fingerprints: it has two attributes, and one gets the other's name.
class AmbiguousImage : public TemporaryFile {
      public:
	/// The file's name is changed to @name, of the same length.
	explicit AmbiguousImage(const std::string &name = kName)
	    : TemporaryFile(images().find("hostile-a").file())
	{
		const std::string value =
			"sha256:0123456789abcdef0123456789abcdef";
		// No name behind the prefix of a number; the value's length.
		const std::string head = {
			'\0', '\x81', static_cast<char>(value.size()), '\0'};

		change(head + value, 1, "\x80");
		change(std::string(kName) + "good", 0, name);
	}

      private:
	static constexpr const char *kName = "equal-before";

	/// Writes @bytes at @offset from where @text stands, which is once.
	void change(const std::string &text, std::size_t offset,
		    const std::string &bytes) const
	{
		const std::string all = read_text(path());
		const UniqueFd fd = open_file(path(), O_WRONLY);
		const std::size_t at = all.find(text);

		if (at == std::string::npos ||
		    all.find(text, at + 1) != std::string::npos)
			throw std::runtime_error(
				"hostile-a is not what it was");
		if (pwrite(fd.get(), bytes.data(), bytes.size(),
			   static_cast<off_t>(at + offset)) !=
		    static_cast<ssize_t>(bytes.size()))
			throw std::runtime_error("cannot change " + path());
	}
};

class MountHelperWarning : public MountHelper {};

TEST_F(MountHelperWarning, FilesWithTwoFingerprintsAreCountedAndOneIsNamed)
{
	const AmbiguousImage image;
	const MountPoint target;

	EXPECT_THAT(
		mount8(options(), image.path(), target.path()),
		Prints(0, "mount.erofs-share: " + target.path() +
				  ": files of " + image.path() +
				  " with more than one fingerprint, which are "
				  "not shared: 1, the first is equal-before; "
				  "see erofs-share check.\n"));
	EXPECT_TRUE(shows_inode_share(target.path()));
}

TEST_F(MountHelperWarning, NamesDoNotSpeakToTheTerminal)
{
	const AmbiguousImage image("equal\x1b[31m-b");
	const MountPoint target;

	EXPECT_THAT(mount8(options(), image.path(), target.path()),
		    Prints(0, AllOf(HasSubstr("$'equal\\033[31m-b'"),
				    Not(HasSubstr("\x1b")))));
}

TEST_F(MountHelperWarning, AnImageThatOnlyDeclaresFingerprintsIsTold)
{
	const TemporaryFile image(images().find("xattr-inline").file());
	const MountPoint target;

	// The third of its prefixes is no attribute's whole name.
	declare_fingerprints(image.path(), 2);
	EXPECT_THAT(mount8(options(), image.path(), target.path()),
		    Prints(0, AllOf(HasSubstr("it shares nothing"),
				    HasSubstr("none of its files has one"))));
	EXPECT_TRUE(shows_inode_share(target.path()));
}

TEST_F(MountHelperWarning, OtherFilesWithoutAFingerprintAreNoneOfItsBusiness)
{
	const MountPoint target;

	// Without, with an empty and with a too long one.
	EXPECT_THAT(mount8(options(), images().find("hostile-b").disk(),
			   target.path()),
		    Prints(0, ""));
}

TEST_F(MountHelperWarning, DamageThatNoMountMeetsIsNotTold)
{
	// In the root: ".", "..", "deep", "empty", "sizes", two twins.
	constexpr std::size_t kEntries = 7;
	constexpr std::size_t kEntry = 12;
	const TemporaryFile image(images().find("enc-plain").file());
	const UniqueFd fd = open_file(image.path(), O_WRONLY);
	const std::size_t names = read_text(image.path()).find("...deepempty");
	const MountPoint target;

	ASSERT_NE(names, std::string::npos);
	// As it was, but without a checksum.
	declare_fingerprints(image.path(), 0);
	// The inode of "deep" is far behind the image's end.
	ASSERT_EQ(pwrite(fd.get(), "\xff\xff\xff\x7f", 4,
			 static_cast<off_t>(names - (kEntries - 2) * kEntry)),
		  4);
	EXPECT_THAT(mount8(options(), image.path(), target.path()),
		    Prints(0, ""));
	EXPECT_TRUE(shows_inode_share(target.path()));
}

} // namespace
} // namespace erofs_share
