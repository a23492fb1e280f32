// SPDX-License-Identifier: GPL-2.0-only
// SHA-256 of contents that come in pieces, by libgcrypt.
#include "base/running_hash.h"

#include "base/error.h"
#include "base/hex.h"

#include <gcrypt.h>
#include <mutex>
#include <string_view>

namespace erofs_share {

namespace {

constexpr std::size_t kDigest = 32;

} // namespace

void RunningHash::Close::operator()(gcry_md_handle *handle) const
{
	gcry_md_close(handle);
}

RunningHash::RunningHash()
{
	static std::once_flag once;
	gcry_md_hd_t handle = nullptr;

	std::call_once(once, [] {
		if (gcry_check_version(GCRYPT_VERSION) == nullptr)
			throw_error(ENOSYS,
				    "libgcrypt is older than " GCRYPT_VERSION);
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	});
	if (gcry_md_open(&handle, GCRY_MD_SHA256, 0) != 0)
		throw_error(ENOMEM, "SHA-256");
	handle_.reset(handle);
}

void RunningHash::add(std::span<const std::byte> bytes)
{
	gcry_md_write(handle_.get(), bytes.data(), bytes.size());
}

std::string RunningHash::fingerprint()
{
	const unsigned char *digest =
		gcry_md_read(handle_.get(), GCRY_MD_SHA256);

	return "sha256:" +
	       std::string(reinterpret_cast<const char *>(digest), kDigest);
}

std::string hex_digest(RunningHash &hash)
{
	const std::string print = hash.fingerprint();

	return hex_of(std::as_bytes(
		std::span(print).subspan(print.size() - kDigest)));
}

} // namespace erofs_share
