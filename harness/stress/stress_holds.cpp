// SPDX-License-Identifier: GPL-2.0-only
// The actions of a stress run on what stays open or mapped over many others.
#include "stress/stress_actions.h"

#include "base/error.h"

#include <sys/mman.h>
#include <utility>

namespace erofs_share {

namespace {

constexpr std::uint64_t kPart = 128 << 10;
constexpr std::size_t kMostHolds = 6;
constexpr std::uint64_t kPage = 4096;

} // namespace

StressHold::StressHold(StressHold &&other) noexcept
    : mount(std::move(other.mount)), file(other.file), fd(std::move(other.fd)),
      mapped(std::exchange(other.mapped, {})), from(other.from)
{
}

StressHold &StressHold::operator=(StressHold &&other) noexcept
{
	std::swap(mount, other.mount);
	std::swap(file, other.file);
	std::swap(fd, other.fd);
	std::swap(mapped, other.mapped);
	std::swap(from, other.from);
	return *this;
}

StressHold::~StressHold()
{
	if (!mapped.empty())
		munmap(mapped.data(), mapped.size());
}

void StressActor::map_part()
{
	const Target target = any_file();

	// A page that cannot be read is a signal, and no error.
	if (!target.mount || target.mount->weak != nullptr ||
	    target.file->size == 0)
		return;
	StressHold hold;
	hold.mount = target.mount;
	hold.file = target.file;
	hold.fd = open(target);
	if (!hold.fd.valid())
		return;
	ByteRange range = any_range(*target.file, kPart);
	range.from -= range.from % kPage;
	void *address = mmap(nullptr, range.to - range.from, PROT_READ,
			     below(random_, 2) == 0 ? MAP_SHARED : MAP_PRIVATE,
			     hold.fd.get(), static_cast<off_t>(range.from));
	if (address == MAP_FAILED)
		throw_errno("mmap " + target.file->path);
	hold.mapped = {static_cast<std::byte *>(address),
		       range.to - range.from};
	hold.from = range.from;
	if (below(random_, 2) == 0)
		hold.fd.reset();
	compare(*hold.mount, *hold.file, hold.mapped, hold.from);
	if (holds_.size() < kMostHolds)
		holds_.push_back(std::move(hold));
}

void StressActor::keep_open()
{
	const Target target = any_file();

	if (!target.mount || holds_.size() >= kMostHolds)
		return;
	StressHold hold;
	hold.mount = target.mount;
	hold.file = target.file;
	hold.fd = open(target);
	if (hold.fd.valid())
		holds_.push_back(std::move(hold));
}

void StressActor::use_kept()
{
	if (holds_.empty())
		return;
	const StressHold &hold = holds_[below(random_, holds_.size())];

	if (hold.fd.valid())
		compare_read(*hold.mount, *hold.file, hold.fd.get(),
			     any_range(*hold.file, kPart));
	if (hold.mapped.empty())
		return;
	if (below(random_, 3) == 0)
		madvise(hold.mapped.data(), hold.mapped.size(), MADV_DONTNEED);
	compare(*hold.mount, *hold.file, hold.mapped, hold.from);
}

void StressActor::drop_kept()
{
	if (!holds_.empty())
		holds_.erase(holds_.begin() + static_cast<std::ptrdiff_t>(below(
						      random_, holds_.size())));
}

} // namespace erofs_share
