// SPDX-License-Identifier: GPL-2.0-only
// Changes to the superblock of an erofs image.
#include "content/image_patch.h"

#include "base/error.h"
#include "base/fd.h"
#include "erofs/erofs_format.h"

#include <array>
#include <cstdint>
#include <fcntl.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::array<unsigned char, 4> kMagic = {0xe2, 0xe1, 0xf5, 0xe0};
constexpr unsigned char kCompatChecksum = 0x01;

} // namespace

void declare_fingerprints(const std::string &image, unsigned char prefix)
{
	const UniqueFd fd = open_file(image, O_RDWR);
	std::array<std::byte, kSuperSize> super{};

	if (read_at(fd.get(), super, kSuperOffset, image) != super.size())
		throw_error(EINVAL, image + " is too short for erofs");
	for (std::size_t i = 0; i < kMagic.size(); i++)
		if (super[i] != std::byte{kMagic[i]})
			throw_error(EINVAL, image + " is not an erofs image");
	if (prefix >= std::to_integer<unsigned char>(super[kSuperPrefixCount]))
		throw_error(EINVAL, image + " has no long prefix " +
					    std::to_string(prefix));
	super[kSuperCompat] &= ~std::byte{kCompatChecksum};
	super[kSuperCompat] |= std::byte{kCompatFingerprints};
	super[kSuperFingerprintPrefix] = std::byte{prefix};
	if (lseek(fd.get(), kSuperOffset, SEEK_SET) < 0)
		throw_errno("seek " + image);
	write_all(fd.get(), super, image);
}

} // namespace erofs_share
