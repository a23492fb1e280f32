// SPDX-License-Identifier: GPL-2.0-only
// Hash trees for dm-verity. Source: "Verity on-disk format" and "Hash Tree" in
// Documentation/admin-guide/device-mapper/verity.rst of the kernel.
#include "content/verity_device.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/hex.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <gcrypt.h>
#include <span>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace erofs_share {

namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kDigest = 32;

/// The digests of the blocks of a level, in whole blocks.
using Level = std::vector<std::byte>;

/// Adds the digest of @block to @level, which has @count of them.
void add_digest(std::span<const std::byte> block, std::size_t count,
		Level &level)
{
	const std::size_t at = count * kDigest;

	// Zeroes fill a block up; kDigest divides its size.
	if (at % kBlock == 0)
		level.resize(at + kBlock);
	gcry_md_hash_buffer(GCRY_MD_SHA256, level.data() + at, block.data(),
			    block.size());
}

Level hash_device(const std::string &path, std::uint64_t &blocks)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	std::vector<std::byte> block(kBlock);
	Level level;

	for (blocks = 0;; blocks++) {
		const std::size_t got =
			read_at(fd.get(), block, blocks * kBlock, path);

		if (got == 0)
			return level;
		if (got != kBlock)
			throw_error(EINVAL,
				    path + ": expected whole blocks of 4096 "
					   "bytes");
		add_digest(block, blocks, level);
	}
}

Level hash_level(const Level &below)
{
	Level level;

	for (std::size_t at = 0; at < below.size(); at += kBlock)
		add_digest(std::span(below).subspan(at, kBlock), at / kBlock,
			   level);
	return level;
}

} // namespace

VerityDevice::VerityDevice(const std::string &lower)
{
	static std::atomic<int> number;
	const UniqueFd file(mkostemp(tree_.data(), O_CLOEXEC));
	std::uint64_t blocks = 0;
	std::ostringstream table;
	std::ostringstream uuid;

	if (!file.valid())
		throw_errno("mkostemp " + tree_);
	gcry_check_version(nullptr);
	std::vector<Level> levels = {hash_device(lower, blocks)};
	while (levels.back().size() > kBlock)
		levels.push_back(hash_level(levels.back()));
	// The highest level comes first.
	std::for_each(levels.rbegin(), levels.rend(), [&](const Level &level) {
		write_all(file.get(), level, tree_);
	});
	const Level top = hash_level(levels.back());
	const std::string root = hex_of(std::span(top).first(kDigest));

	hashes_.emplace(tree_, LoopIo::kBuffered);
	table << "1 " << lower << ' ' << hashes_->path() << ' ' << kBlock << ' '
	      << kBlock << ' ' << blocks << " 0 sha256 " << root << " -";
	uuid << "CRYPT-VERITY-" << root.substr(0, 32) << "-test" << number++;
	device_.emplace(lower, DmTarget{"verity", table.str(), uuid.str()});
}

VerityDevice::~VerityDevice()
{
	device_.reset();
	hashes_.reset();
	unlink(tree_.c_str());
}

} // namespace erofs_share
