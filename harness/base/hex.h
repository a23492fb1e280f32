// SPDX-License-Identifier: GPL-2.0-only
// Bytes as hexadecimal digits, for what is no secret: secrets stay in memory
// that is wiped, see hmac.cpp and domain_id.cpp.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace erofs_share {

/// Two small digits for each of @bytes.
inline std::string hex_of(std::span<const std::byte> bytes)
{
	constexpr std::string_view kDigits = "0123456789abcdef";
	std::string text;

	text.reserve(bytes.size() * 2);
	for (const std::byte byte : bytes) {
		text += kDigits[std::to_integer<unsigned int>(byte) >> 4U];
		text += kDigits[std::to_integer<unsigned int>(byte) & 15U];
	}
	return text;
}

} // namespace erofs_share
