// SPDX-License-Identifier: GPL-2.0-only
// Members of tar archives.
#include "content/tar_archive.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <span>

namespace erofs_share {

namespace {

constexpr std::size_t kRecord = 512; ///< what archives are made of

/// A field of an archive's header: @value in octal digits.
void put_number(std::span<char> field, std::uint64_t value)
{
	std::snprintf(field.data(), field.size(), "%0*llo",
		      static_cast<int>(field.size() - 1),
		      static_cast<unsigned long long>(value));
}

/// What device a member names; only for such.
struct DeviceNumber {
	unsigned int major = 0;
	unsigned int minor = 0;
};

std::string header(const std::string &name, std::uint64_t size, char type,
		   std::optional<DeviceNumber> device)
{
	std::string block(kRecord, '\0');
	const std::span<char> bytes(block);
	unsigned int sum = 0;

	name.copy(bytes.data(), 99);
	put_number(bytes.subspan(100, 8), type == '5' ? 0755 : 0644);
	put_number(bytes.subspan(108, 8), 0);
	put_number(bytes.subspan(116, 8), 0);
	put_number(bytes.subspan(124, 12), size);
	put_number(bytes.subspan(136, 12), 1700000000);
	std::fill_n(bytes.data() + 148, 8, ' ');
	block[156] = type;
	std::string("ustar\0"
		    "00",
		    8)
		.copy(bytes.data() + 257, 8);
	if (device) {
		put_number(bytes.subspan(329, 8), device->major);
		put_number(bytes.subspan(337, 8), device->minor);
	}
	for (const char byte : block)
		sum += static_cast<unsigned char>(byte);
	put_number(bytes.subspan(148, 7), sum);
	return block;
}

} // namespace

std::string tar_header(const std::string &name, std::uint64_t size, char type)
{
	return header(name, size, type, std::nullopt);
}

std::string tar_device(const std::string &name, unsigned int major,
		       unsigned int minor)
{
	return header(name, 0, '3', DeviceNumber{major, minor});
}

void tar_append(std::string &archive, const std::string &data)
{
	archive += data;
	archive.append((kRecord - data.size() % kRecord) % kRecord, '\0');
}

std::string tar_end()
{
	std::string end;

	end.resize(2 * kRecord);
	return end;
}

} // namespace erofs_share
