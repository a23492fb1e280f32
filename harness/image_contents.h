// SPDX-License-Identifier: GPL-2.0-only
// The contents of an image that is not mounted, as a directory.
#pragma once

#include "extraction_directory.h"
#include "loop_device.h"
#include "mount.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace erofs_share {

/// Who reads an image.
enum class ContentsBy : std::uint8_t {
	/// fsck.erofs(1), which extracts the image to a temporary directory (in
	/// $TMPDIR, or /var/tmp). That keeps images of which nobody knows what
	/// is in them away from the kernel. Where there is no fsck.erofs, the
	/// kernel.
	kFsck,
	kKernel, ///< the kernel, for callers that may mount
};

/// The files of an image below a directory, for as long as this lives.
class ImageContents {
      public:
	/// Has @image, with its data on @devices where it has any, read. Throws
	/// std::system_error that says what is missing.
	explicit ImageContents(const std::string &image,
			       const std::vector<std::string> &devices = {},
			       ContentsBy by = ContentsBy::kFsck);
	ImageContents(const ImageContents &) = delete;
	ImageContents &operator=(const ImageContents &) = delete;

	/// Its root. fsck.erofs 1.9 leaves out a hole at the end of a file with
	/// chunks: such a file is shorter here than in the image.
	[[nodiscard]] const std::string &root() const
	{
		return root_;
	}

      private:
	bool extract(const std::string &image,
		     const std::vector<std::string> &devices);
	void mount(const std::string &image,
		   const std::vector<std::string> &devices, ContentsBy by);

	std::string root_;
	std::optional<ExtractionDirectory> temporary_; ///< none if mounted
	std::vector<LoopDevice> loops_;
	std::optional<Mount> mount_;
};

/// Single files of an image that fsck.erofs(1) does not extract as a whole: it
/// stops at the first file that is damaged.
class ExtractedFiles {
      public:
	/// Of @image, with its data on @devices. Throws std::system_error where
	/// there is no fsck.erofs.
	ExtractedFiles(const std::string &image,
		       const std::vector<std::string> &devices);

	/// Extracts the regular file of inode @nid. Returns its path, good to
	/// the next call; nothing where fsck.erofs cannot read the file.
	std::optional<std::string> extract(std::uint64_t nid);

      private:
	std::vector<std::string> command_;
	ExtractionDirectory directory_;
	std::string path_;
};

} // namespace erofs_share
