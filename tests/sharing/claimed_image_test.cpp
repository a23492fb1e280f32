// SPDX-License-Identifier: GPL-2.0-only
// Files that claim to be the very file which their image lies in: same size,
// and its fingerprint. If reading such an image went through the shared pages
// of that file, whoever reads the claimant would wait for the pages that it is
// about to fill. A reader that waits for itself never ends: the suite's limit
// for one test ends the guest then, and the test has failed.
#include "base/error.h"
#include "base/fd.h"
#include "fuzz/mutator.h"
#include "os/loop_device.h"
#include "support/fixture.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <sys/xattr.h>

namespace erofs_share {
namespace {

using Bytes = std::vector<std::byte>;

constexpr const char *kInner = "inner.erofs";
constexpr const char *kClaimant = "claimant";
constexpr const char *kHonest = "honest";

Bytes fingerprint_of(const std::string &image, const std::string &file)
{
	const Mount mount = mount_image(images().find(image), Via::kDisk);
	Bytes value(256);
	const ssize_t length =
		getxattr(mount.at(file).c_str(), "trusted.erofs.fingerprint",
			 value.data(), value.size());

	if (length < 0)
		throw_errno("getxattr " + mount.at(file));
	value.resize(static_cast<std::size_t>(length));
	return value;
}

Bytes read_image(const std::string &image)
{
	const std::string path = images().find(image).file();
	Bytes bytes(std::filesystem::file_size(path));

	read_at(open_file(path, O_RDONLY).get(), bytes, 0, path);
	return bytes;
}

/// Where @part begins in @all. Throws if it is not there.
Bytes::iterator find_bytes(Bytes &all, const Bytes &part)
{
	const auto at =
		std::search(all.begin(), all.end(), part.begin(), part.end());

	if (at == all.end())
		throw_error(EINVAL, "bytes that must be in an image");
	return at;
}

/// An image that has another one in it, as a file. A file of that inner image
/// claims to be a file of the same length, itself an image.
class ClaimedImage {
      public:
	/// The image "claimed-@which", whose inner one claims to be @victim.
	ClaimedImage(char which, const Bytes &victim)
	    : path_(std::string("/run/claimed-") + which + ".erofs")
	{
		const std::string inner_name = std::string("claimant-") + which;
		Bytes bytes = read_image(std::string("claimed-") + which);
		const Bytes inner = read_image(inner_name);
		const Bytes own = fingerprint_of(inner_name, kClaimant);
		const auto at = find_bytes(bytes, inner);

		if (own.size() != victim.size())
			throw_error(EINVAL, "fingerprints of other lengths");
		std::copy(victim.begin(), victim.end(), find_bytes(bytes, own));
		mend_checksum({&*at, inner.size()});
		write_all(open_file(path_, O_WRONLY | O_CREAT | O_TRUNC, 0600)
				  .get(),
			  bytes, path_);
		loop_.emplace(path_, LoopIo::kBuffered);
	}
	ClaimedImage(const ClaimedImage &) = delete;
	ClaimedImage &operator=(const ClaimedImage &) = delete;
	ClaimedImage(ClaimedImage &&) = delete;
	ClaimedImage &operator=(ClaimedImage &&) = delete;
	~ClaimedImage()
	{
		std::filesystem::remove(path_);
	}

	[[nodiscard]] Mount mount(const MountOptions &options) const
	{
		return mount_erofs(loop_->path(), options);
	}

      private:
	std::string path_;
	std::optional<LoopDevice> loop_;
};

class ClaimedFile : public ShareTest {
      protected:
	void SetUp() override
	{
		ShareTest::SetUp();
		need({"claimed-a", "claimed-b"});
		if (IsSkipped())
			return;
		const Mount outer =
			mount_image(images().find("claimed-a"), Via::kDisk);
		const auto [inner, outcome] = try_mount_erofs(outer.at(kInner));
		if (!inner)
			GTEST_SKIP()
				<< "this kernel mounts no image of an erofs ("
				<< outcome.text() << ")";
	}
	/// What is wrong with the files of the inner image at @root.
	static std::string read_inner(const Mount &root)
	{
		const Tree &tree = find_tree("claimant");
		std::string wrong =
			difference(root.at(kClaimant), tree.file(kClaimant));

		return wrong + difference(root.at(kHonest), tree.file(kHonest));
	}
};

TEST_F(ClaimedFile, IsAsLongAsItsImage)
{
	const Mount outer = mount_image(images().find("claimed-a"), Via::kDisk);

	EXPECT_EQ(std::filesystem::file_size(outer.at(kInner)),
		  find_tree("claimant").file(kClaimant).size);
}

TEST_F(ClaimedFile, ThatItsOwnImageLiesInCanBeRead)
{
	const ClaimedImage image('a', fingerprint_of("claimed-a", kInner));
	const Mount outer = image.mount(sharing());
	const Mount inner = mount_erofs(outer.at(kInner), sharing());

	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(read_inner(inner), "");
		drop_caches(Drop::kAll);
	}
}

TEST_F(ClaimedFile, ThatItsOwnImageLiesInCanBeReadAfterItsImageWasCached)
{
	const ClaimedImage image('a', fingerprint_of("claimed-a", kInner));
	const Mount outer = image.mount(sharing());
	const Mount inner = mount_erofs(outer.at(kInner), sharing());

	// What this puts into the shared pages is what the claimant then has:
	// within a domain, that is trusted.
	read_through(outer.at(kInner));
	EXPECT_EQ(read_through(inner.at(kClaimant)),
		  find_tree("claimant").file(kClaimant).size);
	EXPECT_EQ(difference(inner.at(kHonest),
			     find_tree("claimant").file(kHonest)),
		  "");
}

TEST_F(ClaimedFile, ThatTheOtherOfTwoImagesLiesInCanBeReadAtOnce)
{
	constexpr int kRounds = 40;
	const ClaimedImage first('a', fingerprint_of("claimed-b", kInner));
	const ClaimedImage second('b', fingerprint_of("claimed-a", kInner));
	const Mount outer_a = first.mount(sharing());
	const Mount outer_b = second.mount(sharing());
	const Mount inner_a = mount_erofs(outer_a.at(kInner), sharing());
	const Mount inner_b = mount_erofs(outer_b.at(kInner), sharing());

	for (int i = 0; i < kRounds; i++) {
		drop_caches(Drop::kAll);
		std::future<std::string> other =
			std::async(std::launch::async,
				   [&] { return read_inner(inner_b); });

		EXPECT_EQ(read_inner(inner_a), "");
		EXPECT_EQ(other.get(), "");
	}
}

} // namespace
} // namespace erofs_share
