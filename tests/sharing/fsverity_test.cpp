// SPDX-License-Identifier: GPL-2.0-only
// Images in files that fs-verity protects share with such images only: a policy
// that trusts them must not get bytes from an image that nothing protects.
#include "base/error.h"
#include "base/fd.h"
#include "os/loop_device.h"
#include "support/fixture.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace erofs_share {
namespace {

using testing::IsEmpty;

constexpr const char *kFile = "deep/er/text1m";
constexpr unsigned int kBlock = 4096;

enum class Protection { kNone, kVerity };

/// An ext4 in the guest's memory that can protect files.
class VerityStore {
      public:
	/// Throws, when this kernel has no such file systems, too.
	VerityStore()
	{
		std::filesystem::copy_file(
			"/images/verity.ext4", kDevice,
			std::filesystem::copy_options::overwrite_existing);
		std::filesystem::create_directories(kTarget);
		loop_.emplace(kDevice, LoopOptions{.io = LoopIo::kBuffered,
						   .writable = true});
		mount_.emplace(
			mount_other("ext4", loop_->path(), kTarget, 0, ""));
	}
	VerityStore(const VerityStore &) = delete;
	VerityStore &operator=(const VerityStore &) = delete;
	VerityStore(VerityStore &&) = delete;
	VerityStore &operator=(VerityStore &&) = delete;
	~VerityStore()
	{
		mount_.reset();
		loop_.reset();
		std::filesystem::remove(kDevice);
	}

	/// Copies the file at @from into the store as @name. Returns its path.
	/// Throws.
	[[nodiscard]] std::string add(const std::string &from,
				      const std::string &name,
				      Protection protection) const
	{
		const std::string path = mount_->at(name);

		std::filesystem::copy_file(from, path);
		if (protection == Protection::kVerity)
			protect(path);
		return path;
	}

	/// The errno of protecting the file at @path; 0 when it is protected.
	static int try_protect(const std::string &path)
	{
		const UniqueFd fd = open_file(path, O_RDONLY);
		fsverity_enable_arg how{};

		how.version = 1;
		how.hash_algorithm = FS_VERITY_HASH_ALG_SHA256;
		how.block_size = kBlock;
		return ioctl(fd.get(), FS_IOC_ENABLE_VERITY, &how) == 0 ? 0
									: errno;
	}
	static void protect(const std::string &path)
	{
		if (const int error = try_protect(path); error != 0)
			throw_error(error, "FS_IOC_ENABLE_VERITY " + path);
	}

      private:
	static constexpr const char *kDevice = "/run/verity.ext4";
	static constexpr const char *kTarget = "/run/verity";

	std::optional<LoopDevice> loop_;
	std::optional<Mount> mount_;
};

/// Why this kernel has no fs-verity; "" if it has.
std::string no_fsverity()
{
	const VerityStore store;
	const int error = VerityStore::try_protect(
		store.add("/images/index", "index", Protection::kNone));

	return error == 0
		       ? ""
		       : "this kernel has no fs-verity (" +
				 std::generic_category().message(error) + ")";
}

class FsVerity : public ShareTest {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({"enc-plain", "enc-noinline"}, Via::kFile);
		if (IsSkipped())
			return;
		static const std::string kReason = no_fsverity();
		if (!kReason.empty())
			GTEST_SKIP() << kReason;
		store_.emplace();
	}
	void TearDown() override
	{
		store_.reset();
		ShareTest::TearDown();
	}
	/// Mounts a copy of image @name, with its blob on @blob if it has one,
	/// in this test's domain.
	[[nodiscard]] Mount mount(const std::string &name,
				  Protection protection,
				  const std::string &blob = "") const
	{
		MountOptions options = sharing();

		if (!blob.empty())
			options.extra.push_back("device=" + blob);
		return mount_erofs(store_->add(images().find(name).file(),
					       name + ".erofs", protection),
				   options);
	}
	[[nodiscard]] const VerityStore &store() const
	{
		return *store_;
	}
	/// Whether what @reader reads of @file is then cached for @other; and
	/// both read the right bytes.
	static bool share(const Mount &reader, const Mount &other,
			  const FileSpec &file)
	{
		drop_caches(Drop::kPages);
		EXPECT_EQ(difference(reader.at(file.path), file), "");
		const std::uint64_t cached =
			resident_pages(other.at(file.path));
		EXPECT_EQ(difference(other.at(file.path), file), "");
		EXPECT_TRUE(cached == 0 ||
			    cached == total_pages(other.at(file.path)));
		return cached != 0;
	}
	static const FileSpec &file()
	{
		return find_tree("mix").file(kFile);
	}

      private:
	std::optional<VerityStore> store_;
};

TEST_F(FsVerity, ProtectsImagesAgainstWriting)
{
	const std::string path = store().add(images().find("enc-plain").file(),
					     "image", Protection::kVerity);

	EXPECT_EQ(open(path.c_str(), O_WRONLY | O_CLOEXEC), -1);
	EXPECT_EQ(errno, EPERM);
}

TEST_F(FsVerity, TwoProtectedImagesShare)
{
	const Mount a = mount("enc-plain", Protection::kVerity);
	const Mount b = mount("enc-noinline", Protection::kVerity);

	EXPECT_TRUE(share(a, b, file()));
	EXPECT_TRUE(share(b, a, file()));
}

TEST_F(FsVerity, TwoPlainImagesOfOneStoreShare)
{
	const Mount a = mount("enc-plain", Protection::kNone);
	const Mount b = mount("enc-noinline", Protection::kNone);

	EXPECT_TRUE(share(a, b, file()));
	EXPECT_TRUE(share(b, a, file()));
}

TEST_F(FsVerity, ProtectedImageDoesNotShareWithAPlainOne)
{
	const Mount a = mount("enc-plain", Protection::kVerity);
	const Mount b = mount("enc-noinline", Protection::kNone);
	const Mount disk = mount_shared("enc-chunk");

	EXPECT_FALSE(share(a, b, file()));
	EXPECT_FALSE(share(b, a, file()));
	EXPECT_FALSE(share(a, disk, file()));
	EXPECT_FALSE(share(disk, a, file()));
	EXPECT_TRUE(share(disk, b, file()));
}

TEST_F(FsVerity, ClassesAreKeptApartWhoeverComesFirst)
{
	const Mount plain = mount("enc-noinline", Protection::kNone);
	const Mount a = mount("enc-plain", Protection::kVerity);

	EXPECT_FALSE(share(plain, a, file()));
	EXPECT_FALSE(share(a, plain, file()));
}

TEST_F(FsVerity, ProtectedImageWithAPlainDeviceCountsAsPlain)
{
	const FileSpec &text = find_tree("facets").file("text");
	const Image &image = images().find("4k-blob");
	const Mount mixed = mount(
		"4k-blob", Protection::kVerity,
		store().add(image.blob_file(), "blob", Protection::kNone));
	const Mount plain = mount("4k-plain", Protection::kNone);
	const Mount verity = mount("4k-inline", Protection::kVerity);

	EXPECT_TRUE(share(mixed, plain, text));
	EXPECT_FALSE(share(mixed, verity, text));
	EXPECT_FALSE(share(verity, mixed, text));
}

TEST_F(FsVerity, PlainImageWithAProtectedDeviceCountsAsPlain)
{
	const FileSpec &text = find_tree("facets").file("text");
	const Image &image = images().find("4k-blob");
	const Mount mixed = mount(
		"4k-blob", Protection::kNone,
		store().add(image.blob_file(), "blob", Protection::kVerity));
	const Mount plain = mount("4k-plain", Protection::kNone);
	const Mount verity = mount("4k-inline", Protection::kVerity);

	EXPECT_TRUE(share(mixed, plain, text));
	EXPECT_FALSE(share(mixed, verity, text));
}

TEST_F(FsVerity, ImageAndDeviceBothProtectedShareWithProtectedOnes)
{
	const FileSpec &text = find_tree("facets").file("text");
	const Image &image = images().find("4k-blob");
	const Mount both = mount(
		"4k-blob", Protection::kVerity,
		store().add(image.blob_file(), "blob", Protection::kVerity));
	const Mount verity = mount("4k-inline", Protection::kVerity);

	EXPECT_TRUE(share(both, verity, text));
	EXPECT_TRUE(share(verity, both, text));
}

/// Copies of an image whose file kFile has a byte changed, with its fingerprint
/// as it was: what nothing protects against where the image is not verified.
class CorruptedMember : public FsVerity,
			public testing::WithParamInterface<bool> {
      protected:
	static constexpr const char *kPath = "/run/corrupted.erofs";

	void SetUp() override
	{
		FsVerity::SetUp();
		if (IsSkipped())
			return;
		const std::string from = images().find("enc-noinline").file();
		std::vector<std::byte> bytes(std::filesystem::file_size(from));
		std::vector<std::byte> start(kBlock);

		read_at(open_file(from, O_RDONLY).get(), bytes, 0, from);
		fill_content(file(), 0, start);
		const auto at = std::search(bytes.begin(), bytes.end(),
					    start.begin(), start.end());
		ASSERT_NE(at, bytes.end());
		*at ^= std::byte{0xff};
		write_all(open_file(kPath, O_WRONLY | O_CREAT | O_TRUNC, 0600)
				  .get(),
			  bytes, kPath);
	}
	void TearDown() override
	{
		std::filesystem::remove(kPath);
		FsVerity::TearDown();
	}
};

TEST_P(CorruptedMember, DoesNotReachProtectedReaders)
{
	const Mount corrupted = mount_erofs(
		store().add(kPath, "corrupted", Protection::kNone), sharing());
	const Mount verity = mount("enc-plain", Protection::kVerity);
	const bool corrupted_first = GetParam();

	if (corrupted_first) {
		EXPECT_NE(difference(corrupted.at(kFile), file()), "");
	}
	EXPECT_EQ(difference(verity.at(kFile), file()), "");
	EXPECT_NE(difference(corrupted.at(kFile), file()), "");
	EXPECT_EQ(difference(verity.at(kFile), file()), "");
}

INSTANTIATE_TEST_SUITE_P(Order, CorruptedMember, testing::Bool(),
			 [](const auto &info) {
				 return info.param ? "CorruptedFirst"
						   : "ProtectedFirst";
			 });

} // namespace
} // namespace erofs_share
