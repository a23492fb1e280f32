// SPDX-License-Identifier: GPL-2.0-only
// SHA-256 of contents that come in pieces, in the form that fingerprints have.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct gcry_md_handle;

namespace erofs_share {

/// The hash of contents that come in pieces.
class RunningHash {
      public:
	/// Throws where libgcrypt cannot be used.
	RunningHash();

	/// Goes on with @bytes.
	void add(std::span<const std::byte> bytes);
	/// The fingerprint of all that was added, "sha256:" and the 32 bytes of
	/// the digest.
	std::string fingerprint();

      private:
	struct Close {
		void operator()(gcry_md_handle *handle) const;
	};
	std::unique_ptr<gcry_md_handle, Close> handle_;
};

/// The digest of all that was added to @hash, as 64 digits.
std::string hex_digest(RunningHash &hash);

} // namespace erofs_share
