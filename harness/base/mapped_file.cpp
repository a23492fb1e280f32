// SPDX-License-Identifier: GPL-2.0-only
// A file mapped into memory.
#include "base/mapped_file.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

namespace erofs_share {

MappedFile::MappedFile(const std::string &path, int flags)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	struct stat status {};

	if (fstat(fd.get(), &status) != 0)
		throw_errno("fstat " + path);
	const auto size = static_cast<std::size_t>(status.st_size);
	void *address = mmap(nullptr, size, PROT_READ, flags, fd.get(), 0);
	if (address == MAP_FAILED)
		throw_errno("mmap " + path);
	bytes_ = {static_cast<std::byte *>(address), size};
}

MappedFile::MappedFile(MappedFile &&other) noexcept
    : bytes_(std::exchange(other.bytes_, {}))
{
}

void MappedFile::advise(int advice)
{
	if (madvise(bytes_.data(), bytes_.size(), advice) != 0)
		throw_errno("madvise " + std::to_string(advice));
}

MappedFile::~MappedFile()
{
	if (!bytes_.empty())
		munmap(bytes_.data(), bytes_.size());
}

} // namespace erofs_share
