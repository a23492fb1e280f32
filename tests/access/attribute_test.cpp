// SPDX-License-Identifier: GPL-2.0-only
// Listing and getting extended attributes: every kernel shows what went into
// the image, whether its own erofs knows long prefixes of attribute names or
// our module adds them. What is expected stands in
// harness/content/attributes.cpp.
#include "content/attributes.h"
#include "support/fixture.h"

#include <algorithm>
#include <sys/xattr.h>

namespace erofs_share {

namespace {

using testing::ElementsAreArray;

/// An image and whether it is mounted with sharing.
struct AttributeCase {
	const char *image;
	bool sharing;
};

std::vector<std::string> list_attributes(const std::string &path)
{
	std::vector<char> buffer(65536);
	const ssize_t size =
		llistxattr(path.c_str(), buffer.data(), buffer.size());
	std::vector<std::string> names;

	if (size < 0) {
		ADD_FAILURE() << "llistxattr " << path << ": "
			      << std::generic_category().message(errno);
		return names;
	}
	EXPECT_EQ(llistxattr(path.c_str(), nullptr, 0), size) << path;
	for (ssize_t at = 0; at < size;) {
		names.emplace_back(buffer.data() + at);
		at += static_cast<ssize_t>(names.back().size()) + 1;
	}
	std::sort(names.begin(), names.end());
	return names;
}

/// The value of attribute @name, or the error as text.
std::string get_attribute(const std::string &path, const std::string &name)
{
	std::string value(65536, '\0');
	const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value.data(),
				       value.size());

	if (size < 0)
		return "error: " + std::generic_category().message(errno);
	value.resize(static_cast<std::size_t>(size));
	return value;
}

class Attributes : public ErofsTest,
		   public testing::WithParamInterface<AttributeCase> {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		if (GetParam().sharing && !no_inode_share().empty())
			GTEST_SKIP() << no_inode_share();
		if (GetParam().sharing) {
			// Only then does a kernel without the feature look in
			// the right place for the prefixes of some of them.
			mount_.emplace(mount_image(
				images().find(GetParam().image), Via::kDisk,
				MountOptions::sharing(DomainId::random())));
			return;
		}
		need({GetParam().image});
		if (!IsSkipped())
			mount_.emplace(mount_image(
				images().find(GetParam().image), Via::kDisk));
	}
	void TearDown() override
	{
		mount_.reset();
		ErofsTest::TearDown();
	}
	/// What must be in the image: all files, or their user attributes
	/// alone.
	static std::vector<AttributedFile> expected()
	{
		std::vector<AttributedFile> files = attributed_files();

		if (images().find(GetParam().image).tree->name !=
		    kUserAttributeTree)
			return files;
		for (AttributedFile &file : files)
			std::erase_if(
				file.attributes, [](const Attribute &one) {
					return !one.name.starts_with("user.");
				});
		return files;
	}
	[[nodiscard]] std::string at(const AttributedFile &file) const
	{
		return mount_->path() + "/" + file.path;
	}
	/// Names of @file's attributes as they must be listed: mkfs.erofs has
	/// added the fingerprint to regular files, which is seen in one form.
	static std::vector<std::string> names_of(const AttributedFile &file)
	{
		std::vector<std::string> names;

		for (const Attribute &attribute : file.attributes)
			names.push_back(attribute.name);
		if (file.path.back() != '/' &&
		    std::string(GetParam().image) != "xattr-hidden")
			names.emplace_back("trusted.erofs.fingerprint");
		std::sort(names.begin(), names.end());
		return names;
	}

	std::optional<Mount> mount_;
};

TEST_P(Attributes, AreListedByTheirWholeNames)
{
	for (const AttributedFile &file : expected())
		EXPECT_THAT(list_attributes(at(file)),
			    ElementsAreArray(names_of(file)))
			<< file.path;
}

TEST_P(Attributes, HaveTheirValues)
{
	for (const AttributedFile &file : expected())
		for (const Attribute &attribute : file.attributes)
			EXPECT_EQ(get_attribute(at(file), attribute.name),
				  attribute.value)
				<< file.path << " " << attribute.name;
}

TEST_P(Attributes, AreAskedForTheirSize)
{
	for (const AttributedFile &file : expected())
		for (const Attribute &attribute : file.attributes)
			EXPECT_EQ(lgetxattr(at(file).c_str(),
					    attribute.name.c_str(), nullptr, 0),
				  static_cast<ssize_t>(attribute.value.size()))
				<< file.path << " " << attribute.name;
}

TEST_P(Attributes, OfOtherNamesAreNotThere)
{
	const std::string path = mount_->path() + "/first";

	// A prefix alone, one name behind the prefix of another, a namesake in
	// another namespace, a longer and a shorter name.
	for (const char *name :
	     {"user.x.", "trusted.longer.name.prefix.only-here",
	      "trusted.x.only-here", "user.x.only-here2", "user.x.only-her",
	      "security.erofs.test.", "user.only-here", "user.y.only-here",
	      "user.longer.name.prefix.a"})
		EXPECT_EQ(get_attribute(path, name), "error: No data available")
			<< name;
}

TEST_P(Attributes, DoNotFitIntoBuffersThatAreTooShort)
{
	const std::string path = mount_->path() + "/first";
	char byte = 0;

	EXPECT_EQ(lgetxattr(path.c_str(), "user.x.only-here", &byte, 1), -1);
	EXPECT_EQ(errno, ERANGE);
	EXPECT_EQ(llistxattr(path.c_str(), &byte, 1), -1);
	EXPECT_EQ(errno, ERANGE);
}

// Tables of prefixes lie in the metadata area, in the packed inode where there
// is one, or in the metadata area although there is one. The last is for erofs
// of 6.12 only found by mounts that share.
INSTANTIATE_TEST_SUITE_P(Images, Attributes,
			 testing::Values(AttributeCase{"xattr-inline", false},
					 AttributeCase{"xattr-inline", true},
					 AttributeCase{"xattr-shared", false},
					 AttributeCase{"xattr-shared", true},
					 AttributeCase{"xattr-nofilter", false},
					 AttributeCase{"xattr-nofilter", true},
					 AttributeCase{"xattr-packed", false},
					 AttributeCase{"xattr-packed", true},
					 AttributeCase{"xattr-plain", true},
					 AttributeCase{"xattr-hidden", false},
					 AttributeCase{"xattr-hidden", true},
					 AttributeCase{"xattr-512", false},
					 AttributeCase{"xattr-512", true}),
			 [](const auto &info) {
				 return parameter_name(info.param.image) +
					(info.param.sharing ? "_shared"
							    : "_not_shared");
			 });

} // namespace

} // namespace erofs_share
