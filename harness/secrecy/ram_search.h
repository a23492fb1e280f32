// SPDX-License-Identifier: GPL-2.0-only
// Searching a stopped guest's memory, which the host holds as a file, for a
// domain id in every form that a kernel or a program could leave it in.
#pragma once

#include "base/fd.h"
#include "machine/domain_id.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace erofs_share {

/// One place where the id, or a half of it, was found.
struct RamHit {
	std::uint64_t address; ///< in the guest's memory, in bytes
	std::size_t length;    ///< of what was found there, in bytes
	/// "bytes", "UTF-16LE", "UTF-16BE" or "reversed"; ", first half" or
	/// ", second half" after it when the rest of the id is not there.
	std::string form;
	/// The bytes from 64 before to 64 after it, those of this and of other
	/// copies of the id as '*' and what is not printable as '.'.
	std::string around = {};
};

/// The forms of one id. Holds them in plain text: for the host only.
class RamSearch {
      public:
	/// @id: at least 16 bytes long, or a half would be found by chance.
	explicit RamSearch(const DomainId &id);

	/// Every occurrence in @memory, whose first byte is at @address. A
	/// whole id is one hit, not one a half.
	[[nodiscard]] std::vector<RamHit>
	search(std::span<const std::byte> memory,
	       std::uint64_t address = 0) const;

      private:
	struct Form {
		const char *name;
		std::string text;
		/// Adds where @memory has it, whole or half.
		void find(std::span<const std::byte> memory,
			  std::vector<RamHit> &hits) const;
	};
	std::vector<Form> forms_;
};

/// The file that is a guest's memory.
class RamFile {
      public:
	/// Maps @path. Throws.
	explicit RamFile(const std::string &path);
	RamFile(const RamFile &) = delete;
	RamFile &operator=(const RamFile &) = delete;
	RamFile(RamFile &&) = delete;
	RamFile &operator=(RamFile &&) = delete;
	~RamFile();

	/// All hits of @search in what the guest ever touched: the rest of the
	/// file is holes. The guest must stand still.
	[[nodiscard]] std::vector<RamHit> search(const RamSearch &search) const;

	/// Size of the memory in bytes.
	[[nodiscard]] std::uint64_t size() const
	{
		return bytes_.size();
	}

      private:
	UniqueFd fd_;
	std::string path_;
	std::span<const std::byte> bytes_;
};

} // namespace erofs_share
