// SPDX-License-Identifier: GPL-2.0-only
// Data of an image's files that is not compressed, read where it lies: as the
// kernel finds it, but for one thing. What lies behind the end of the image or
// of a device is damage here, also where the kernel would find something on a
// device that is larger than the image.
#pragma once

#include "base/data_sink.h"
#include "erofs/erofs_reader.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace erofs_share {

/// The data of an image, which must outlive this. Any thread may read.
class ImageData {
      public:
	/// Of @image, with data on @devices; where there are none, the image's
	/// own file may have it behind its end, as with `cat TAR >> IMAGE`.
	/// Throws std::system_error that names what is missing.
	ImageData(const ErofsImage &image,
		  const std::vector<std::string> &devices);

	/// Open files of the devices, in order; none where the image has all.
	[[nodiscard]] const std::vector<UniqueFd> &devices() const
	{
		return fds_;
	}
	/// Looks whether all of the data of @file, which must not be
	/// compressed, is where the image says. Throws as read().
	void check(const ErofsFile &file) const;
	/// Gives all of @file to @sink; it must not be compressed. Throws
	/// std::system_error that names image and file: EBADMSG where they
	/// contradict each other, before any data is read.
	void read(const ErofsFile &file, const DataSink &sink) const;

      private:
	/// A part of a file.
	struct Extent {
		std::uint64_t length = 0;
		std::uint64_t offset = 0; ///< in the file of @fd
		int fd = -1;		  ///< negative for a hole
	};
	/// A file or device with data.
	struct Store {
		int fd = -1;
		std::uint64_t size = 0;
		/// Where in the numbering of the image its own begins, and its
		/// bytes there; 0 if it is no part of that.
		std::uint64_t start = 0;
		std::uint64_t length = 0;
	};
	using Visit = std::function<void(const Extent &)>;

	void visit_extents(const ErofsFile &file, const Visit &visit) const;
	void visit_chunks(const ErofsFile &file, const Visit &visit) const;
	[[nodiscard]] std::size_t device_of(const ErofsFile &file,
					    std::uint64_t offset,
					    std::uint64_t length) const;
	[[nodiscard]] Extent place(const ErofsFile &file, std::size_t device,
				   std::uint64_t offset,
				   std::uint64_t length) const;
	[[noreturn]] void corrupt(const ErofsFile &file,
				  const std::string &what) const;

	const ErofsImage &image_;
	std::vector<UniqueFd> fds_;
	/// The image, and its devices.
	std::vector<Store> stores_;
	/// Whether the devices' data is in the image's own file.
	bool flat_ = false;
};

} // namespace erofs_share
