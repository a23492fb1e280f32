// SPDX-License-Identifier: GPL-2.0-only
// A file mapped into memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace erofs_share {

/// A read-only mapping of a whole file, unmapped when it goes out of scope.
/// It keeps no descriptor open.
class MappedFile {
      public:
	/// Maps @path with @flags (MAP_SHARED or MAP_PRIVATE). Throws; an empty
	/// file cannot be mapped.
	explicit MappedFile(const std::string &path, int flags);
	MappedFile(const MappedFile &) = delete;
	MappedFile &operator=(const MappedFile &) = delete;
	MappedFile(MappedFile &&other) noexcept;
	MappedFile &operator=(MappedFile &&) = delete;
	~MappedFile();

	/// The file's bytes; touching them may raise SIGBUS on a read error.
	[[nodiscard]] std::span<const std::byte> bytes() const
	{
		return bytes_;
	}

	/// madvise(2) with @advice for all of it. Throws.
	void advise(int advice);

      private:
	std::span<std::byte> bytes_;
};

} // namespace erofs_share
