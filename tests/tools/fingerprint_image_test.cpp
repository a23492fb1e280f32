// SPDX-License-Identifier: GPL-2.0-only
// erofs-share fingerprint: the new image is the old one to who mounts it, but
// for fingerprints, which are right. Both trees are compared through the
// kernel.
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "erofs/erofs_utils.h"
#include "machine/overlay.h"
#include "support/case_image.h"
#include "support/fixture.h"
#include "support/image_list.h"
#include "tool/check_image.h"
#include "tool/fingerprint_image.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;
using testing::ContainerEq;
using testing::HasSubstr;
using testing::IsEmpty;

/// What a program sees of each name of a tree, as text.
using Seen = std::map<std::string, std::string>;

std::string hex_of(const std::string &bytes)
{
	std::string text;
	char digits[3];

	for (const char byte : bytes) {
		std::snprintf(digits, sizeof(digits), "%02x",
			      static_cast<unsigned char>(byte));
		text += digits;
	}
	return text;
}

/// The attributes of @path but for @skipped, by name.
std::string attributes_of(const std::string &path, const std::string &skipped)
{
	std::string names(65536, '\0');
	std::map<std::string, std::string> found;
	std::string text;

	const ssize_t all =
		llistxattr(path.c_str(), names.data(), names.size());
	if (all < 0)
		throw_errno("llistxattr " + path);
	names.resize(static_cast<std::size_t>(all));
	for (std::size_t at = 0; at < names.size();) {
		const std::string name = names.c_str() + at;
		std::string value(65536, '\0');

		at += name.size() + 1;
		const ssize_t got = lgetxattr(path.c_str(), name.c_str(),
					      value.data(), value.size());
		if (got < 0)
			throw_errno("lgetxattr " + name + " of " + path);
		value.resize(static_cast<std::size_t>(got));
		if (name != skipped)
			found[name] = value;
	}
	for (const auto &[name, value] : found)
		text += " " + name + "=" + hex_of(value);
	return text;
}

std::string contents_of(const std::string &path)
{
	const std::vector<std::byte> bytes = file_bytes(path);

	return std::to_string(bytes.size()) + "/" +
	       std::to_string(std::hash<std::string_view>()(
		       {reinterpret_cast<const char *>(bytes.data()),
			bytes.size()}));
}

std::string seen_at(const std::string &root, const std::string &name,
		    const std::string &skipped,
		    std::map<ino_t, std::string> &first)
{
	const std::string path = root + name;
	struct stat status {};
	std::string text;

	if (lstat(path.c_str(), &status) != 0)
		throw_errno("lstat " + path);
	text = std::to_string(status.st_mode) + " " +
	       std::to_string(status.st_uid) + ":" +
	       std::to_string(status.st_gid) + " " +
	       std::to_string(status.st_mtim.tv_sec) + "." +
	       std::to_string(status.st_mtim.tv_nsec) + " " +
	       std::to_string(major(status.st_rdev)) + ":" +
	       std::to_string(minor(status.st_rdev)) + " " +
	       std::to_string(status.st_nlink) + " " +
	       first.try_emplace(status.st_ino, name).first->second;
	if (S_ISREG(status.st_mode))
		text += " " + contents_of(path);
	if (S_ISLNK(status.st_mode))
		text += " -> " + fs::read_symlink(path).string();
	return text + attributes_of(path, skipped);
}

/// All of the tree below the mount @root, without the attribute @skipped.
Seen look_at(const Mount &root, const std::string &skipped)
{
	std::vector<std::string> names = {""};
	std::map<ino_t, std::string> first;
	Seen seen;

	for (const fs::directory_entry &entry :
	     fs::recursive_directory_iterator(root.path()))
		names.push_back(
			entry.path().string().substr(root.path().size()));
	std::sort(names.begin(), names.end());
	for (const std::string &name : names)
		seen[name] = seen_at(root.path(), name, skipped, first);
	return seen;
}

std::string declared(const std::string &image)
{
	return open_image(image).fingerprint_name().value_or("");
}

/// Makes @image, with data on @devices, anew as @result, and compares both.
void expect_same_tree(const std::string &image,
		      const std::vector<std::string> &devices,
		      const std::string &result,
		      const std::vector<std::string> &options = {})
{
	const FingerprintResult made = fingerprint_image({.image = image,
							  .devices = devices,
							  .result = result,
							  .options = options});
	const Mount before = mount_case(image, {}, devices);
	const Mount after = mount_case(result, {});

	const Seen old = look_at(before, declared(image));
	EXPECT_GT(old.size(), 1U);
	EXPECT_THAT(look_at(after, declared(result)), ContainerEq(old));
	EXPECT_EQ(made.names, old.size());
	// Without a file there is nothing to be right.
	EXPECT_EQ(check_image(result, {}).right(), made.files > 0);
}

class FingerprintImage : public ErofsTest {
      protected:
	[[nodiscard]] std::string at(const std::string &name) const
	{
		return scratch_.path() + "/" + name;
	}

      private:
	TemporaryDirectory scratch_{"/run"};
};

class FingerprintLayout : public FingerprintImage,
			  public testing::WithParamInterface<std::string> {
      protected:
	void SetUp() override
	{
		FingerprintImage::SetUp();
		need({GetParam()});
	}
};

TEST_P(FingerprintLayout, IsTheSameTree)
{
	const Image &image = images().find(GetParam());
	std::vector<std::string> devices;

	if (image.has_blob)
		devices.push_back(image.blob_file());
	expect_same_tree(image.file(), devices, at("new"));
}

/// All small images, and those of attributes in every form.
std::vector<std::string> layouts()
{
	std::vector<std::string> names = small_images();

	names.insert(names.end(), {"xattr-inline", "xattr-shared",
				   "xattr-nofilter", "xattr-packed",
				   "xattr-plain", "xattr-512", "xattr-hidden"});
	return names;
}

INSTANTIATE_TEST_SUITE_P(Images, FingerprintLayout,
			 testing::ValuesIn(layouts()), [](const auto &info) {
				 return parameter_name(info.param);
			 });

/// Sets @name where the file system of the tree keeps such attributes.
void set_attribute(const std::string &path, const std::string &name,
		   const std::string &value)
{
	if (lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(),
		      0) != 0 &&
	    errno != EOPNOTSUPP)
		throw_errno("lsetxattr " + name + " of " + path);
}

void set_time(const std::string &path, time_t seconds, long nanoseconds)
{
	const timespec times[] = {{seconds, nanoseconds},
				  {seconds, nanoseconds}};

	if (utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
		throw_errno("utimensat " + path);
}

void write_file(const std::string &path, const std::string &text)
{
	write_all(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).get(),
		  std::as_bytes(std::span(text)), path);
}

void need_success(int result, const std::string &what)
{
	if (result != 0)
		throw_errno(what);
}

/// A tree of all that an image can hold, below the directory @root.
void make_rich_tree(const std::string &root)
{
	const std::string acl(
		"\2\0\0\0\1\0\6\0\377\377\377\377"
		"\2\0\4\0\350\3\0\0\4\0\4\0\377\377\377\377"
		"\20\0\4\0\377\377\377\377\40\0\0\0\377\377\377\377",
		44);
	const std::string capability("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
				     20);
	const auto at = [&](const std::string &name) { return root + name; };

	fs::create_directories(at("/usr/bin"));
	write_file(at("/usr/bin/ping"), std::string(5000, 'p'));
	set_attribute(at("/usr/bin/ping"), "security.capability", capability);
	set_attribute(at("/usr/bin/ping"), "user.note",
		      std::string("a\0b\n", 4));
	set_attribute(at("/usr/bin/ping"), "system.posix_acl_access", acl);
	set_attribute(at("/usr"), "trusted.overlay.opaque", "y");
	set_attribute(at("/usr"), "system.posix_acl_default", acl);
	set_attribute(at("/usr/bin"), "trusted.empty", "");
	write_file(at("/usr/bin/su"), "setuid");
	need_success(chown(at("/usr/bin/su").c_str(), 70000, 4000000000U),
		     "chown");
	need_success(chmod(at("/usr/bin/su").c_str(), 06755), "chmod");
	need_success(link(at("/usr/bin/su").c_str(), at("/a-link").c_str()),
		     "link");
	write_file(at("/empty"), "");
	need_success(mkfifo(at("/fifo").c_str(), 0600), "mkfifo");
	need_success(
		mknod(at("/disk").c_str(), S_IFBLK | 0660, makedev(259, 70000)),
		"mknod");
	need_success(mknod(at("/whiteout").c_str(), S_IFCHR, 0), "mknod");
	need_success(link(at("/whiteout").c_str(), at("/whiteout-2").c_str()),
		     "link");
	need_success(symlink("to\nwhere \xe9", at("/symlink").c_str()),
		     "symlink");
	for (const char *name :
	     {"a\nb", "caf\xe9", "-rf", "<packed_file>", ".wh.gone", "...",
	      "with space ", "tab\t=\"'$"})
		write_file(at(std::string("/") + name), name);
	write_file(at("/" + std::string(255, 'n')), "long");
	write_file(at("/holes"), "at the start");
	need_success(truncate(at("/holes").c_str(), 1 << 20), "truncate");
	fs::create_directory(at("/sticky"));
	need_success(chmod(at("/sticky").c_str(), 01777), "chmod");
	set_time(at("/empty"), 1700000000, 999999999);
	set_time(at("/fifo"), -5, 250000000);
	set_time(at("/disk"), 5000000000, 1);
	set_time(at("/symlink"), 0, 0);
	set_time(at("/sticky"), -1, 0);
	set_time(root, 1234567890, 42);
}

void mkfs(const std::vector<std::string> &words)
{
	std::vector<std::string> command = {find_program("mkfs.erofs").value(),
					    "--quiet"};

	command.insert(command.end(), words.begin(), words.end());
	const ProgramResult result = run_program("/", command, Capture::kAll);
	if (result.status != 0)
		throw_error(EIO, "mkfs.erofs: " + result.output);
}

class FingerprintTree : public FingerprintImage,
			public testing::WithParamInterface<const char *> {};

TEST_P(FingerprintTree, KeepsAllThatAnImageHolds)
{
	fs::create_directory(at("tree"));
	make_rich_tree(at("tree"));
	mkfs({GetParam(), at("old"), at("tree")});
	expect_same_tree(at("old"), {}, at("new"));
	expect_same_tree(at("old"), {}, at("compressed"),
			 {"-zlz4hc", "-C16384", "-b4096"});
	// And again, of what it has made.
	expect_same_tree(at("compressed"), {}, at("again"));
}

INSTANTIATE_TEST_SUITE_P(Forms, FingerprintTree,
			 testing::Values("-b4096", "-b512", "-zlz4",
					 "--chunksize=4096", "-x1",
					 "-Eforce-inode-extended"));

TEST_F(FingerprintImage, RefusesASocketWithItsName)
{
	fs::create_directory(at("tree"));
	need_success(mknod(at("tree/a-socket").c_str(), S_IFSOCK | 0600, 0),
		     "mknod");
	mkfs({at("old"), at("tree")});
	try {
		fingerprint_image({.image = at("old"),
				   .devices = {},
				   .result = at("new"),
				   .options = {}});
		FAIL() << "it was made";
	} catch (const std::system_error &error) {
		EXPECT_THAT(error.what(), HasSubstr("a-socket cannot be kept"));
	}
	EXPECT_FALSE(fs::exists(at("new")));
}

class FingerprintShares : public ShareTest {
      protected:
	[[nodiscard]] std::string at(const std::string &name) const
	{
		return scratch_.path() + "/" + name;
	}

      private:
	TemporaryDirectory scratch_{"/run"};
};

TEST_F(FingerprintShares, FilesThatWereAmbiguous)
{
	const Tree &tree = find_tree("facets");
	const std::string name = "trusted.erofs.fingerprint";
	const std::string digest = "--xattr-inode-digest=" + name;
	const std::string source = at("source");

	// Each file has the fingerprint of another tree's already.
	fs::create_directory(source);
	make_tree(tree, source);
	for (const FileSpec &file : tree.files)
		set_attribute(source + "/" + file.path, name,
			      "sha256:" + std::string(32, '\0'));
	mkfs({digest, at("old"), source});
	EXPECT_FALSE(check_image(at("old"), {}).ambiguous.empty());
	const FingerprintResult result = fingerprint_image({.image = at("old"),
							    .devices = {},
							    .result = at("new"),
							    .options = {}});
	EXPECT_GT(result.stale, result.files);

	const Mount made = mount_case(at("new"), sharing());
	const Mount honest = mount_shared("hidden-inline");
	EXPECT_THAT(wrong_files(made.path(), tree), IsEmpty());
	EXPECT_THAT(not_resident(honest.path(), tree), IsEmpty());
	EXPECT_THAT(wrong_files(honest.path(), tree), IsEmpty());
}

} // namespace

} // namespace erofs_share
