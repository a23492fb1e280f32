// SPDX-License-Identifier: GPL-2.0-only
// The contents of an image's files, without mounting it where anybody sees it
// and without a second copy on any disk. What is not compressed is read where
// it lies. What is compressed is read by the kernel, for root, in a mount that
// is attached nowhere; else by fsck.erofs(1), confined, through a pipe.
#pragma once

#include "base/data_sink.h"
#include "base/pipe_directory.h"
#include "erofs/erofs_reader.h"
#include "erofs/image_data.h"
#include "os/detached_mount.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// How contents are to be read.
struct ContentsOptions {
	/// Whether root may ask the kernel.
	bool kernel = true;
	/// Bytes that may be read of an image; 0: as many as one of its size
	/// can be expected to have.
	std::uint64_t most = 0;
};

/// The contents of some files of an image, which must outlive this.
class ImageContents {
      public:
	/// Gets ready to read @files of @image, with data on @devices. No other
	/// thread may run. Throws std::system_error that says what is missing,
	/// or that @files have more bytes than @options allow.
	ImageContents(const ErofsImage &image,
		      const std::vector<std::string> &devices,
		      const std::vector<ErofsFile> &files,
		      const ContentsOptions &options);

	/// Gives all of @file to @sink, in thread number @thread, which is less
	/// than kHashThreads. Throws std::system_error: EBADMSG, which names
	/// image and file, where it is the image that is damaged.
	void read(const ErofsFile &file, unsigned int thread,
		  const DataSink &sink) const;
	/// Whether fsck.erofs reads what is compressed.
	[[nodiscard]] bool by_program() const
	{
		return pipes_.has_value();
	}
	/// Removes what it needed. Throws if something of it is left.
	void close();

      private:
	void prepare(const ContentsOptions &options);
	void use_program(const std::string &why);
	void read_by_kernel(const ErofsFile &file, const DataSink &sink) const;
	void read_by_program(const ErofsFile &file, unsigned int thread,
			     const DataSink &sink) const;
	[[nodiscard]] std::vector<int> device_files() const;

	const ErofsImage &image_;
	ImageData plain_;
	std::optional<DetachedMount> mount_;
	std::optional<PipeDirectory> pipes_;
};

/// The digest of each of @files, as hash_contents() has it; empty where the
/// file cannot be read, for which @unreadable then has a reason. Throws
/// std::system_error that names the image, and the file if there is one.
struct ImageDigests {
	std::vector<std::string> digests;
	std::vector<std::string> unreadable;
	bool by_program = false; ///< as ImageContents has it
};
ImageDigests hash_image(const ErofsImage &image,
			const std::vector<std::string> &devices,
			const std::vector<ErofsFile> &files,
			const ContentsOptions &options);

} // namespace erofs_share
