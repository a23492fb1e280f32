// SPDX-License-Identifier: GPL-2.0-only
// What libFuzzer calls with the bytes of an image: the reader must give data or
// an error. What it gives must be what its users rely on.
#include "base/quote.h"
#include "erofs/erofs_reader.h"
#include "erofs/image_data.h"

#include <climits>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace {

using namespace erofs_share;

/// What is read of an image at most, all its files together: holes have no end.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20;

/// Thrown by a sink that had enough.
struct Enough {};

/// Ends the run: this must not be.
void need(bool right)
{
	if (!right)
		abort();
}

/// A file in memory with @bytes, which each run fills anew.
UniqueFd image_with(std::span<const std::uint8_t> bytes)
{
	static const int file = memfd_create("image", MFD_CLOEXEC);

	need(file >= 0 && ftruncate(file, 0) == 0 &&
	     pwrite(file, bytes.data(), bytes.size(), 0) ==
		     static_cast<ssize_t>(bytes.size()));
	return UniqueFd(dup(file));
}

void check_file(const ErofsFile &file)
{
	need(!file.path.empty() && file.path.size() < PATH_MAX);
	need(file.path.front() != '/' && file.path.back() != '/');
	need(file.path.find('\0') == std::string::npos);
	need(file.size <= INT64_MAX);
	need((file.state == FingerprintState::kOne) ==
	     !file.fingerprint.empty());
	need(quote_name(file.path).find('\n') == std::string::npos);
}

void read_image(std::span<const std::uint8_t> bytes)
{
	const ErofsImage image(
		image_with(bytes), "image",
		[](std::uint64_t, std::uint64_t offset, std::uint64_t length) {
			return std::string(offset > 4096 ? 0 : length / 2,
					   '\1');
		});
	const std::vector<ErofsFile> files = image.files();
	const ImageData data(image, {});
	std::uint64_t left = kMostBytes;

	for (const ErofsFile &file : files) {
		std::uint64_t got = 0;

		check_file(file);
		if (file.data.compressed())
			continue;
		try {
			data.read(file, [&](std::span<const std::byte> part) {
				got += part.size();
				need(got <= file.size);
				if (part.size() > left)
					throw Enough();
				left -= part.size();
			});
			need(got == file.size);
		} catch (const std::system_error &) {
			// Before any data: its extents are looked at first.
			need(got == 0);
		}
	}
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
				      std::size_t size)
{
	try {
		read_image({data, size});
	} catch (const std::system_error &) {
		// An error is an answer.
	} catch (const Enough &) {
	}
	return 0;
}
