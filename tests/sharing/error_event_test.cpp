// SPDX-License-Identifier: GPL-2.0-only
// What fanotify tells of a read error (FAN_FS_ERROR): with sharing the same as
// without, about the reader's own file. Kernels that tell nothing skip.
#include "base/error.h"
#include "base/fd.h"
#include "support/access_fixture.h"
#include "support/faulty_image.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/fanotify.h>
#include <unistd.h>

namespace erofs_share {
namespace {

constexpr const char *kFile = "deep/er/random1m";

using Bytes = std::vector<std::byte>;

/// A file handle as name_to_handle_at(2) and events have it.
Bytes handle_of(const std::string &path)
{
	alignas(file_handle)
		std::array<std::byte, sizeof(file_handle) + MAX_HANDLE_SZ>
			room{};
	auto *handle = reinterpret_cast<file_handle *>(room.data());
	int mount = 0;

	handle->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, path.c_str(), handle, &mount, 0) != 0)
		throw_errno("name_to_handle_at " + path);
	return {room.begin(),
		room.begin() + sizeof(file_handle) + handle->handle_bytes};
}

/// Hears of errors of the file system at a mount.
class ErrorWatch {
      public:
	explicit ErrorWatch(const Mount &mount)
	    : fd_(fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC |
					FAN_NONBLOCK,
				O_RDONLY))
	{
		if (!fd_.valid() ||
		    fanotify_mark(fd_.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				  FAN_FS_ERROR, AT_FDCWD,
				  mount.path().c_str()) != 0)
			throw_errno("watch errors of " + mount.path());
	}
	/// What came since the last call: "ERRNO of the file", for the file
	/// whose handle is @file, or "ERRNO of another".
	std::set<std::string> read_new(const Bytes &file)
	{
		alignas(fanotify_event_metadata) std::array<std::byte, 8192>
			buffer{};
		std::set<std::string> all;

		for (;;) {
			const ssize_t got =
				read(fd_.get(), buffer.data(), buffer.size());
			if (got < 0 && errno == EAGAIN)
				return all;
			if (got < 0)
				throw_errno("read fanotify events");
			std::span<const std::byte> left(
				buffer.data(), static_cast<std::size_t>(got));
			while (!left.empty()) {
				fanotify_event_metadata event{};

				std::memcpy(&event, left.data(), sizeof(event));
				all.insert(text(
					left.first(event.event_len)
						.subspan(event.metadata_len),
					file));
				left = left.subspan(event.event_len);
			}
		}
	}

      private:
	/// The event with the information records @infos.
	static std::string text(std::span<const std::byte> infos,
				const Bytes &file)
	{
		std::string error = "no errno";
		std::string whose = " of another";

		while (!infos.empty()) {
			fanotify_event_info_header header{};

			std::memcpy(&header, infos.data(), sizeof(header));
			if (header.info_type == FAN_EVENT_INFO_TYPE_ERROR) {
				fanotify_event_info_error info{};

				std::memcpy(&info, infos.data(), sizeof(info));
				error = errno_name(info.error);
			}
			const auto handle =
				infos.first(header.len)
					.subspan(std::min(
						sizeof(fanotify_event_info_fid),
						std::size_t{header.len}));
			// Records are padded.
			if (header.info_type == FAN_EVENT_INFO_TYPE_FID &&
			    handle.size() >= file.size() &&
			    std::equal(file.begin(), file.end(),
				       handle.begin()))
				whose = " of the file";
			infos = infos.subspan(header.len);
		}
		return error + whose;
	}

	UniqueFd fd_;
};

/// What is told when the device of @image, mounted with @options, fails a
/// read.
std::set<std::string> told_of_an_error(FaultyImage &image,
				       const MountOptions &options)
{
	const Mount mount = image.mount(options);
	const std::string path = mount.at(kFile);
	const Bytes handle = handle_of(path);
	const UniqueFd fd = open_file(path, O_RDONLY);
	std::array<std::byte, 4096> page{};
	std::set<std::string> told;

	// Metadata stays cached.
	read_through(path);
	EXPECT_EQ(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
	ErrorWatch watch(mount);
	image.device().fail_reads();
	EXPECT_EQ(pread(fd.get(), page.data(), page.size(), 0), -1);
	EXPECT_EQ(errno, EIO);
	// It comes from a work queue, if it comes.
	soon([&] {
		told.merge(watch.read_new(handle));
		return !told.empty();
	});
	image.device().pass_reads();
	return told;
}

class ErrorEvent : public ShareTest,
		   public testing::WithParamInterface<FaultyCase> {};

TEST_P(ErrorEvent, OfABadBlockIsAsWithoutSharing)
{
	FaultyImage image(GetParam());
	if (!image.unsupported().empty())
		GTEST_SKIP() << image.unsupported();
	const std::set<std::string> plain = told_of_an_error(image, {});

	if (plain.empty())
		GTEST_SKIP() << "this kernel's erofs reports no read errors";
	EXPECT_EQ(told_of_an_error(image, sharing()), plain);
}

INSTANTIATE_TEST_SUITE_P(
	Layouts, ErrorEvent,
	testing::Values(FaultyCase{"enc-plain", Backing::kDisk},
			FaultyCase{"enc-chunk", Backing::kDisk},
			FaultyCase{"enc-plain", Backing::kFile}),
	[](const auto &info) { return case_name(info.param); });

} // namespace
} // namespace erofs_share
