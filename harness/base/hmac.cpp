// SPDX-License-Identifier: GPL-2.0-only
// HMAC-SHA256 that leaves nothing outside of the caller's memory.
#include "base/hmac.h"

#include <bit>

namespace erofs_share {

namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kDigest = 32;

/// FIPS 180-4, 5.3.3.
constexpr std::array<std::uint32_t, 8> kStart = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// FIPS 180-4, 4.2.2.
constexpr std::array<std::uint32_t, 64> kConstants = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void start(HmacMemory &m)
{
	for (std::size_t i = 0; i < kStart.size(); i++)
		m.hash[i] = kStart[i];
	m.bytes = 0;
}

/// Takes in the block whose 16 words are there.
void take_block(HmacMemory &m)
{
	for (std::size_t t = 16; t < m.words.size(); t++) {
		const std::uint32_t x = m.words[t - 15];
		const std::uint32_t y = m.words[t - 2];

		m.words[t] = m.words[t - 16] + m.words[t - 7] +
			     (std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3) +
			     (std::rotr(y, 17) ^ std::rotr(y, 19) ^ y >> 10);
	}
	for (std::size_t i = 0; i < m.round.size(); i++)
		m.round[i] = m.hash[i];
	for (std::size_t t = 0; t < m.words.size(); t++) {
		const std::uint32_t e = m.round[4];
		const std::uint32_t a = m.round[0];
		const std::uint32_t b = m.round[1];
		const std::uint32_t c = m.round[2];
		const std::uint32_t more =
			m.round[7] +
			(std::rotr(e, 6) ^ std::rotr(e, 11) ^
			 std::rotr(e, 25)) +
			((e & m.round[5]) ^ (~e & m.round[6])) + kConstants[t] +
			m.words[t];

		for (std::size_t i = m.round.size(); --i > 0;)
			m.round[i] = m.round[i - 1];
		m.round[4] = m.round[4] + more;
		m.round[0] = more +
			     (std::rotr(a, 2) ^ std::rotr(a, 13) ^
			      std::rotr(a, 22)) +
			     ((a & b) ^ (a & c) ^ (b & c));
	}
	for (std::size_t i = 0; i < m.hash.size(); i++)
		m.hash[i] = m.hash[i] + m.round[i];
}

void put(HmacMemory &m, std::uint8_t byte)
{
	const std::size_t place = m.bytes % kBlock;
	const std::uint32_t old = place % 4 == 0 ? 0 : m.words[place / 4];

	m.words[place / 4] = old << 8 | byte;
	m.bytes = m.bytes + 1;
	if (place == kBlock - 1)
		take_block(m);
}

/// Ends the message; the digest is in the hash then.
void finish(HmacMemory &m)
{
	const std::uint64_t bits = m.bytes * 8;

	put(m, 0x80);
	while (m.bytes % kBlock != kBlock - 8)
		put(m, 0);
	for (int shift = 56; shift >= 0; shift -= 8)
		put(m, static_cast<std::uint8_t>(bits >> shift));
}

/// Byte @i of the digest.
std::uint8_t digest(const HmacMemory &m, std::size_t i)
{
	return static_cast<std::uint8_t>(m.hash[i / 4] >> (24 - i % 4 * 8));
}

/// Takes in the key, each byte changed by @pad.
void put_key(HmacMemory &m, std::uint8_t pad)
{
	for (std::size_t i = 0; i < kBlock; i++)
		put(m, static_cast<std::uint8_t>(m.key[i] ^ pad));
}

} // namespace

void hmac_sha256(const volatile char *key, std::size_t size,
		 std::string_view message, HmacMemory &memory,
		 volatile char *digits)
{
	static constexpr std::string_view kHex = "0123456789abcdef";
	HmacMemory &m = memory;

	for (std::size_t i = 0; i < kBlock; i++)
		m.key[i] = i < size ? static_cast<std::uint8_t>(key[i]) : 0;
	if (size > kBlock) {
		start(m);
		for (std::size_t i = 0; i < size; i++)
			put(m, static_cast<std::uint8_t>(key[i]));
		finish(m);
		for (std::size_t i = 0; i < kBlock; i++)
			m.key[i] = i < kDigest ? digest(m, i) : 0;
	}

	start(m);
	put_key(m, 0x36);
	for (const char c : message)
		put(m, static_cast<std::uint8_t>(c));
	finish(m);
	for (std::size_t i = 0; i < kDigest; i++)
		m.inner[i] = digest(m, i);

	start(m);
	put_key(m, 0x5c);
	for (std::size_t i = 0; i < kDigest; i++)
		put(m, m.inner[i]);
	finish(m);
	for (std::size_t i = 0; i < kDigest; i++) {
		digits[2 * i] = kHex[digest(m, i) >> 4];
		digits[2 * i + 1] = kHex[digest(m, i) & 15];
	}
}

} // namespace erofs_share
