// SPDX-License-Identifier: GPL-2.0-only
// An image made of a tree that was an overlay over an image with fingerprints:
// overlayfs copies the named attribute up with a file that is changed, and
// mkfs.erofs then gives the file a second one. Old and new image in one domain
// read their own bytes. The hidden form is not copied.
#include "base/child.h"
#include "base/error.h"
#include "erofs/erofs_utils.h"
#include "machine/overlay.h"
#include "support/case_image.h"
#include "support/fixture.h"

#include <fcntl.h>
#include <sys/xattr.h>

namespace erofs_share {

namespace {

using testing::IsEmpty;

constexpr const char *kAttribute = "trusted.erofs.fingerprint";
constexpr const char *kNamed = "--xattr-inode-digest=trusted.erofs.fingerprint";
constexpr const char *kHidden = "--xattr-inode-digest";

/// Several files, because it depends on their values which of two comes first.
Tree make_files(const std::string &name, std::uint64_t seed)
{
	Tree tree{.name = name, .files = {}};

	for (std::uint64_t i = 0; i < 8; i++)
		tree.files.push_back({"file" + std::to_string(i), 20001,
				      seed + i, Content::kText});
	return tree;
}

const Tree &before()
{
	static const Tree kTree = make_files("before", 400);

	return kTree;
}

/// The same files with other contents of the same size.
const Tree &after()
{
	static const Tree kTree = make_files("after", 500);

	return kTree;
}

bool has_attribute(const std::string &path)
{
	if (getxattr(path.c_str(), kAttribute, nullptr, 0) >= 0)
		return true;
	if (errno != ENODATA)
		throw_errno("getxattr " + path);
	return false;
}

/// A form of the fingerprints, and what mkfs.erofs makes the new image of.
struct Way {
	const char *name;
	const char *digest;
	bool merged; ///< the overlay; else its upper layer alone
};

class CopyUp : public ShareTest, public testing::WithParamInterface<Way> {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		if (!IsSkipped())
			make_images();
	}

	[[nodiscard]] std::string image(const std::string &name) const
	{
		return scratch_->path() + "/" + name + ".erofs";
	}
	Mount mount(const std::string &name)
	{
		return mount_case(image(name), sharing());
	}
	static bool named()
	{
		return std::string(GetParam().digest) == kNamed;
	}

      private:
	void make_images()
	{
		const TemporaryDirectory first("/run");
		const TemporaryDirectory equal("/run");
		const TemporaryDirectory layer("/run");

		scratch_.emplace("/run");
		make_tree(before(), first.path());
		mkfs("old", first.path());
		make_tree(after(), equal.path());
		mkfs("equal", equal.path());

		const Mount old = mount_case(image("old"), {});
		const Mount overlay = mount_overlay({old.path()}, &layer);
		for (const FileSpec &file : after().files)
			change(overlay.at(file.path), file);
		const std::string upper = layer.path() + "/upper";
		for (const FileSpec &file : after().files)
			ASSERT_EQ(has_attribute(upper + "/" + file.path),
				  named())
				<< "what overlayfs copied up";
		mkfs("new", GetParam().merged ? overlay.path() : upper);
	}

	static void change(const std::string &path, const FileSpec &file)
	{
		std::vector<std::byte> bytes(file.size);

		fill_content(file, 0, bytes);
		write_all(open_file(path, O_WRONLY).get(), bytes, path);
	}

	void mkfs(const std::string &name, const std::string &from) const
	{
		const std::optional<std::string> program =
			find_program("mkfs.erofs");

		if (!program)
			throw_error(ENOENT, "mkfs.erofs in the guest");
		const ProgramResult result =
			run_program("/",
				    {*program, "--quiet", GetParam().digest,
				     image(name), from},
				    Capture::kAll);
		if (result.status != 0)
			throw_error(EIO, "mkfs.erofs " + image(name) + ": " +
						 result.output);
	}

	std::optional<TemporaryDirectory> scratch_;
};

TEST_P(CopyUp, OldImageReadFirstEachReadsItsOwnBytes)
{
	const Mount old = mount("old");
	const Mount changed = mount("new");

	EXPECT_THAT(wrong_files(old.path(), before()), IsEmpty());
	EXPECT_THAT(wrong_files(changed.path(), after()), IsEmpty());
}

TEST_P(CopyUp, NewImageReadFirstEachReadsItsOwnBytes)
{
	const Mount old = mount("old");
	const Mount changed = mount("new");

	EXPECT_THAT(wrong_files(changed.path(), after()), IsEmpty());
	EXPECT_THAT(wrong_files(old.path(), before()), IsEmpty());
}

TEST_P(CopyUp, ChangedFilesShareUnlessTheOldFingerprintCameAlong)
{
	const Mount equal = mount("equal");
	const Mount changed = mount("new");

	EXPECT_THAT(wrong_files(changed.path(), after()), IsEmpty());
	if (named()) {
		EXPECT_THAT(partly_resident(equal.path(), after()), IsEmpty());
	} else {
		EXPECT_THAT(not_resident(equal.path(), after()), IsEmpty());
	}
	EXPECT_THAT(wrong_files(equal.path(), after()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Trees, CopyUp,
			 testing::Values(Way{"named_merged", kNamed, true},
					 Way{"named_upper", kNamed, false},
					 Way{"hidden_merged", kHidden, true},
					 Way{"hidden_upper", kHidden, false}),
			 [](const auto &info) {
				 return std::string(info.param.name);
			 });

} // namespace

} // namespace erofs_share
