// SPDX-License-Identifier: GPL-2.0-only
// HMAC-SHA256 with a key that nobody may see. Libraries compute it in vector
// registers, which the kernel saves where no program can wipe; this takes a
// byte or a word at a time, and keeps all that it knows in memory of the
// caller.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace erofs_share {

/// All that a computation remembers: for memory that is locked and wiped.
/// Volatile, so that no compiler makes vectors or copies of it.
struct HmacMemory {
	std::array<volatile std::uint32_t, 8> hash;   ///< of what came so far
	std::array<volatile std::uint32_t, 8> round;  ///< a to h
	std::array<volatile std::uint32_t, 64> words; ///< of a block
	volatile std::uint64_t bytes;		      ///< that came so far
	std::array<volatile std::uint8_t, 64> key;
	std::array<volatile std::uint8_t, 32> inner;
};

/// Hexadecimal digits of an HMAC-SHA256.
inline constexpr std::size_t kHmacDigits = 64;

/// Writes the HMAC-SHA256 of @message with the @size bytes at @key in lower
/// case hexadecimal digits to @digits, which has room for kHmacDigits. Source:
/// RFC 2104, FIPS 180-4. What @memory holds afterwards tells about the key.
void hmac_sha256(const volatile char *key, std::size_t size,
		 std::string_view message, HmacMemory &memory,
		 volatile char *digits);

} // namespace erofs_share
