// SPDX-License-Identifier: GPL-2.0-only
// The reading actions of a stress run.
#include "stress/stress_actions.h"

#include "base/error.h"
#include "machine/overlay.h"

#include <algorithm>
#include <fcntl.h>
#include <stdexcept>
#include <sys/statfs.h>
#include <sys/xattr.h>

namespace erofs_share {

namespace {

constexpr std::uint64_t kPart = 128 << 10;
constexpr std::uint64_t kSmall = 300 << 10;

} // namespace

const std::vector<StressAction> &StressActor::actions()
{
	static const std::vector<StressAction> kActions = {
		{"mount", 14, &StressActor::mount},
		{"umount", 8, &StressActor::unmount},
		{"umount -l", 3, &StressActor::detach},
		{"remount", 4, &StressActor::remount},
		{"bad domain id", 2, &StressActor::mount_with_bad_id},
		{"read", 18, &StressActor::read_small},
		{"pread", 20, &StressActor::read_part},
		{"mmap", 12, &StressActor::map_part},
		{"same file in all", 3,
		 &StressActor::read_same_file_everywhere},
		{"keep open", 6, &StressActor::keep_open},
		{"use what is open", 10, &StressActor::use_kept},
		{"close it", 4, &StressActor::drop_kept},
		{"readahead", 6, &StressActor::read_ahead},
		{"fadvise", 5, &StressActor::evict},
		{"statfs", 2, &StressActor::status},
		{"listxattr", 4, &StressActor::attributes},
		{"overlay", 2, &StressActor::read_through_overlay},
		{"drop_caches", 2, &StressActor::reclaim},
		{"rmmod", 1, &StressActor::unload},
		{"slow device", 1, &StressActor::stall_device},
		{"failing device", 1, &StressActor::fail_device},
		{"OOM kill", 1, &StressActor::run_out_of_memory},
	};

	return kActions;
}

const StressAction &StressActor::choose()
{
	unsigned int sum = 0;

	for (const StressAction &action : actions())
		sum += action.weight;
	auto left = static_cast<unsigned int>(below(random_, sum));
	for (const StressAction &action : actions()) {
		if (left < action.weight)
			return action;
		left -= action.weight;
	}
	return actions().front();
}

void StressActor::act(const StressAction &action)
{
	(this->*action.act)();
	world_.counts.add(action.name);
}

StressActor::Target StressActor::any_file(std::uint64_t most_bytes)
{
	const StressMountPtr mount = world_.any_mount(random_);

	if (!mount)
		return {};
	const auto &files = mount->image->tree->files;
	for (int tries = 0; tries < 8; tries++) {
		const FileSpec &file = files[below(random_, files.size())];

		if (file.size <= most_bytes)
			return {mount, &file};
	}
	return {};
}

ByteRange StressActor::any_range(const FileSpec &file, std::uint64_t most)
{
	if (file.size == 0)
		return {};
	const std::uint64_t from = below(random_, file.size);

	return {from, std::min(file.size, from + 1 + below(random_, most))};
}

UniqueFd StressActor::open(const Target &target)
{
	const std::string path = target.mount->at(target.file->path);
	UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));

	if (fd.valid())
		world_.counts.add("opens");
	else if (!is_explained(*target.mount, errno))
		throw_errno("open " + target.file->path + " of " +
			    target.mount->text);
	return fd;
}

void StressActor::compare(const StressMount &mount, const FileSpec &file,
			  std::span<const std::byte> bytes, std::uint64_t from)
{
	const std::string wrong = difference(bytes, file, from);

	if (!wrong.empty())
		throw std::runtime_error("WRONG BYTES in " + mount.text + ": " +
					 wrong);
	world_.counts.add("bytes compared", bytes.size());
}

void StressActor::compare_read(const StressMount &mount, const FileSpec &file,
			       int fd, const ByteRange &range)
{
	std::vector<std::byte> bytes(range.to - range.from);

	try {
		const std::size_t got =
			read_at(fd, bytes, range.from, file.path);

		if (got != bytes.size())
			throw std::runtime_error(
				"SHORT READ of " + file.path + " in " +
				mount.text + ": " + std::to_string(got) +
				" of " + std::to_string(bytes.size()) +
				" bytes from " + std::to_string(range.from));
	} catch (const std::system_error &error) {
		if (is_explained(mount, error.code().value()))
			return;
		throw std::runtime_error("in " + mount.text + ": " +
					 error.what());
	}
	compare(mount, file, bytes, range.from);
}

void StressActor::read_small()
{
	const Target target = any_file(kSmall);

	if (!target.mount)
		return;
	const UniqueFd fd = open(target);
	if (fd.valid())
		compare_read(*target.mount, *target.file, fd.get(),
			     {0, target.file->size});
}

void StressActor::read_part()
{
	const Target target = any_file();

	if (!target.mount)
		return;
	const UniqueFd fd = open(target);
	if (!fd.valid())
		return;
	for (std::uint64_t i = 1 + below(random_, 3); i > 0; i--)
		compare_read(*target.mount, *target.file, fd.get(),
			     any_range(*target.file, kPart));
}

void StressActor::read_same_file_everywhere()
{
	const Target target = any_file();

	if (!target.mount)
		return;
	const ByteRange range = any_range(*target.file, kPart);
	std::vector<std::pair<StressMountPtr, UniqueFd>> opened;
	for (const StressMountPtr &mount : world_.mounts())
		if (mount->image->tree == target.mount->image->tree)
			opened.emplace_back(mount, open({mount, target.file}));
	for (const auto &[mount, fd] : opened)
		if (fd.valid())
			compare_read(*mount, *target.file, fd.get(), range);
}

void StressActor::read_ahead()
{
	const Target target = any_file();

	if (!target.mount)
		return;
	const UniqueFd fd = open(target);
	const ByteRange range = any_range(*target.file, 4 * kPart);
	// Closed with the reads in flight.
	if (fd.valid() &&
	    readahead(fd.get(), static_cast<off_t>(range.from),
		      range.to - range.from) != 0 &&
	    !is_explained(*target.mount, errno))
		throw_errno("readahead " + target.file->path + " of " +
			    target.mount->text);
}

void StressActor::evict()
{
	const Target target = any_file();

	if (!target.mount)
		return;
	const UniqueFd fd = open(target);
	if (fd.valid())
		posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

void StressActor::status()
{
	const StressMountPtr mount = world_.any_mount(random_);
	struct statfs status {};

	if (mount && statfs(mount->path.c_str(), &status) != 0 &&
	    !is_explained(*mount, errno))
		throw_errno("statfs " + mount->text);
}

void StressActor::attributes()
{
	const Target target = any_file();
	std::array<char, 4096> names{};

	if (target.mount &&
	    listxattr(target.mount->at(target.file->path).c_str(), names.data(),
		      names.size()) < 0 &&
	    !is_explained(*target.mount, errno))
		throw_errno("listxattr " + target.file->path + " of " +
			    target.mount->text);
}

void StressActor::read_through_overlay()
{
	const Target target = any_file(kSmall);

	if (!target.mount || target.file == nullptr)
		return;
	const TemporaryDirectory empty;
	try {
		const Mount overlay =
			mount_overlay({target.mount->path, empty.path()});
		const UniqueFd fd =
			open_file(overlay.at(target.file->path), O_RDONLY);

		compare_read(*target.mount, *target.file, fd.get(),
			     {0, target.file->size});
	} catch (const std::system_error &error) {
		if (!is_explained(*target.mount, error.code().value()))
			throw;
	}
}

} // namespace erofs_share
