// SPDX-License-Identifier: GPL-2.0-only
// What all tests stand on.
#include "fixture.h"

#include "kernel_module.h"
#include "proc.h"

#include <algorithm>
#include <cctype>
#include <memory>

namespace erofs_share {

namespace {

std::unique_ptr<ImageStore> store;

/// Whether the running module knows inode_share; asked once.
const std::string &no_inode_share()
{
	static const std::string kReason = [] {
		const auto [mounted, outcome] = try_mount_erofs(
			images().find("enc-plain").disk(),
			MountOptions::sharing(DomainId::random()));

		return mounted ? std::string()
			       : "this kernel's erofs has no inode_share (" +
					 outcome.text() + ")";
	}();

	return kReason;
}

} // namespace

void ImageEnvironment::SetUp()
{
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

void ShareTest::SetUp()
{
	ErofsTest::SetUp();
	if (!no_inode_share().empty())
		GTEST_SKIP() << no_inode_share();
}

std::string unsupported(const Image &image)
{
	const auto [mounted, outcome] = try_mount_erofs(image.disk());

	return mounted ? ""
		       : "this kernel cannot mount " + image.name + " (" +
				 outcome.text() + ")";
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
