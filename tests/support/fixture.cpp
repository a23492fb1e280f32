// SPDX-License-Identifier: GPL-2.0-only
// What all tests stand on.
#include "support/fixture.h"

#include "base/error.h"
#include "base/proc.h"
#include "machine/kernel_module.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>

namespace erofs_share {

namespace {

std::unique_ptr<ImageStore> store;
std::string disregarded; ///< why sharing is not tested, whatever there is

/// A file whose end lies in a fragment where tails are packed as well. Some
/// kernels (6.1.176 is one) read it wrong without an error.
constexpr const char *kPackedTwice = "sizes/8193";

/// Why the running kernel cannot read files of image @name, mounted at @root;
/// "" when it can. A kernel may know a compression, but not with the image's
/// block size, and says so when such a file is looked up.
std::string unreadable(const std::string &name, const std::string &root)
{
	struct stat status {};

	for (const FileSpec &file : images().find(name).tree->files) {
		const std::string path = root + "/" + file.path;

		if (stat(path.c_str(), &status) != 0 && errno == EOPNOTSUPP)
			return "this kernel cannot read " + file.path + " of " +
			       name + " (" +
			       std::generic_category().message(EOPNOTSUPP) +
			       ")";
		if (file.path == kPackedTwice &&
		    !difference(path, file).empty())
			return "this kernel reads " + file.path + " of " +
			       name + " wrong without sharing";
	}
	return "";
}

/// Why the running kernel cannot mount the disk of image @name, or not read it,
/// even without sharing; "" when it can. Asked once an image.
const std::string &unsupported(const std::string &name)
{
	static std::map<std::string, std::string> reasons;
	const auto known = reasons.find(name);

	if (known != reasons.end())
		return known->second;

	const auto [mounted, outcome] =
		try_mount_image(images().find(name), Via::kDisk);

	return reasons[name] = mounted ? unreadable(name, mounted->path())
				       : "this kernel cannot mount " + name +
						 " (" + outcome.text() + ")";
}

/// Why the running kernel cannot read image @name as a regular file, although
/// it can from a disk; "" when it can. Asked once an image.
const std::string &unreadable_tail(const std::string &name)
{
	static std::map<std::string, std::string> reasons;
	const auto known = reasons.find(name);

	if (known != reasons.end())
		return known->second;
	if (!fails_in_last_page(images().find(name)))
		return reasons[name] = "";
	return reasons[name] =
		       "this kernel's erofs cannot read the last, partial page "
		       "of the image file " +
		       name;
}

} // namespace

void dirty_free_memory(std::size_t bytes)
{
	void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		throw_errno("mmap");
	std::memset(memory, 0xa5, bytes);
	munmap(memory, bytes);
}

void ImageEnvironment::SetUp()
{
	dirty_free_memory(std::size_t{256} << 20);
	store = std::make_unique<ImageStore>();
}

void ImageEnvironment::TearDown()
{
	store.reset();
}

const ImageStore &images()
{
	return *store;
}

void ErofsTest::SetUp()
{
	drop_caches(Drop::kAll);
}

void ErofsTest::TearDown()
{
	EXPECT_THAT(erofs_mounts(), testing::IsEmpty())
		<< "left behind by this test";
}

void ErofsTest::need(const std::vector<std::string> &names, Via via)
{
	if (IsSkipped())
		return;
	if (via == Via::kFile && !no_file_backed().empty())
		GTEST_SKIP() << no_file_backed();
	for (const std::string &name : names) {
		if (!unsupported(name).empty())
			GTEST_SKIP() << unsupported(name);
		if (via == Via::kFile && !unreadable_tail(name).empty())
			GTEST_SKIP() << unreadable_tail(name);
	}
}

void ShareTest::SetUp()
{
	ErofsTest::SetUp();
	if (!no_inode_share().empty())
		GTEST_SKIP() << no_inode_share();
}

const std::string &no_inode_share()
{
	static const std::string kReason = [] {
		if (!disregarded.empty())
			return disregarded;
		const auto [mounted, outcome] = try_mount_erofs(
			images().find("enc-plain").disk(),
			MountOptions::sharing(DomainId::random()));

		return mounted ? std::string()
			       : "this kernel's erofs has no inode_share (" +
					 outcome.text() + ")";
	}();

	return kReason;
}

void disregard_inode_share(const std::string &reason)
{
	disregarded = reason;
}

void ImagePair::SetUp()
{
	ShareTest::SetUp();
	need({GetParam().first, GetParam().second});
}

bool can_mount(const std::string &name)
{
	return unsupported(name).empty();
}

std::string no_file_backed()
{
	const auto [mounted, outcome] =
		try_mount_erofs(images().find("enc-plain").file());

	return mounted ? ""
		       : "this kernel has no file-backed erofs mounts (" +
				 outcome.text() + ")";
}

bool erofs_is_ours()
{
	return module_out_of_tree("erofs");
}

bool shows_inode_share(const std::string &target)
{
	const std::vector<std::string> options = shown_options(target);

	return std::find(options.begin(), options.end(), "inode_share") !=
	       options.end();
}

std::vector<std::string> wrong_files(const std::string &root, const Tree &tree)
{
	std::vector<std::string> wrong;

	for (const FileSpec &file : tree.files) {
		std::string found = difference(root + "/" + file.path, file);

		if (!found.empty())
			wrong.push_back(std::move(found));
	}
	return wrong;
}

std::vector<std::string> not_resident(const std::string &root, const Tree &tree)
{
	std::vector<std::string> missing;

	for (const FileSpec &file : tree.files) {
		const std::string path = root + "/" + file.path;
		const std::uint64_t resident = resident_pages(path);
		const std::uint64_t total = total_pages(path);

		if (resident != total)
			missing.push_back(file.path + ": " +
					  std::to_string(resident) + " of " +
					  std::to_string(total) + " pages");
	}
	return missing;
}

std::vector<std::string> partly_resident(const std::string &root,
					 const Tree &tree)
{
	std::vector<std::string> found;

	for (const FileSpec &file : tree.files) {
		const std::uint64_t resident =
			resident_pages(root + "/" + file.path);

		if (resident != 0)
			found.push_back(file.path + ": " +
					std::to_string(resident) + " pages");
	}
	return found;
}

void read_tree(const std::string &root, const Tree &tree)
{
	for (const FileSpec &file : tree.files)
		read_through(root + "/" + file.path);
}

std::string via_name(Via via)
{
	switch (via) {
	case Via::kDisk:
		return "disk";
	case Via::kLoop:
		return "loop";
	case Via::kFile:
		break;
	}
	return "file";
}

std::string parameter_name(const std::string &text)
{
	std::string name = text;

	std::replace_if(
		name.begin(), name.end(),
		[](unsigned char c) { return std::isalnum(c) == 0; }, '_');
	return name;
}

void PrintTo(const MountOutcome &outcome, std::ostream *out)
{
	*out << outcome.text();
}

} // namespace erofs_share
