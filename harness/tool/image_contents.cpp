// SPDX-License-Identifier: GPL-2.0-only
// The contents of an image's files.
#include "tool/image_contents.h"

#include "base/confined_program.h"
#include "base/error.h"
#include "base/quote.h"
#include "base/unprivileged.h"
#include "erofs/content_hash.h"
#include "erofs/erofs_utils.h"

#include <algorithm>
#include <span>
#include <unistd.h>

namespace erofs_share {

namespace {

/// What an image of any size may have, and how often its own size besides.
constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 30;
constexpr std::uint64_t kMostTimes = 64;
/// What fsck.erofs may take to start, and to give a MiB.
constexpr std::uint64_t kStartSeconds = 60;
constexpr std::uint64_t kBytesPerSecond = std::uint64_t{1} << 20;
/// What fsck.erofs 1.9 says, at -d3, where it makes up zeroes.
constexpr const char *kBehindTheEnd = "reach EOF of device";

bool in_chunks(const ErofsFile &file)
{
	constexpr std::uint8_t kChunks = 4;

	return file.data.layout == kChunks;
}

/// Refuses what would keep this reading for days.
void check_bytes(const ErofsImage &image, const std::vector<ErofsFile> &files,
		 std::uint64_t stored, std::uint64_t most)
{
	std::uint64_t total = 0;
	const ErofsFile *largest = nullptr;

	for (const ErofsFile &file : files) {
		total += file.size;
		if (largest == nullptr || file.size > largest->size)
			largest = &file;
	}
	if (most == 0)
		most = kMostBytes + kMostTimes * stored;
	if (total > most)
		throw_error(EFBIG,
			    quote_name(image.path()) + ": its files have " +
				    std::to_string(total) +
				    " bytes, most of them in " +
				    quote_name(largest->path) +
				    ", more than is read of " +
				    std::to_string(stored) +
				    " bytes; if it is to be read all the "
				    "same, say --most-bytes=" +
				    std::to_string(total));
}

} // namespace

ImageContents::ImageContents(const ErofsImage &image,
			     const std::vector<std::string> &devices,
			     const std::vector<ErofsFile> &files,
			     const ContentsOptions &options)
    : image_(image), plain_(image, devices)
{
	std::uint64_t stored = image.size();

	for (std::size_t i = 0; i < plain_.devices().size(); i++)
		stored += image_size(plain_.devices()[i].get(), devices[i]);
	for (const ErofsFile &file : files)
		if (!file.data.compressed() && !in_chunks(file))
			plain_.check(file);
	// Before lists of chunks, which can lie in each other, and be longer
	// all together than anybody reads.
	check_bytes(image, files, stored, options.most);
	for (const ErofsFile &file : files)
		if (in_chunks(file))
			plain_.check(file);
	if (std::any_of(files.begin(), files.end(), [](const ErofsFile &file) {
		    return file.data.compressed();
	    }))
		prepare(options);
}

std::vector<int> ImageContents::device_files() const
{
	std::vector<int> files;

	files.reserve(plain_.devices().size());
	for (const UniqueFd &device : plain_.devices())
		files.push_back(device.get());
	return files;
}

void ImageContents::prepare(const ContentsOptions &options)
{
	if (geteuid() != 0) {
		use_program(
			"or run this as root, to have the kernel read them");
		return;
	}
	if (!options.kernel) {
		use_program("or leave --no-kernel out, to have the kernel "
			    "read them");
		return;
	}
	try {
		mount_.emplace(image_.fd(), device_files());
	} catch (const std::system_error &error) {
		// What the kernel takes for damage nobody else needs to read.
		if (error.code().value() == EUCLEAN)
			throw_error(EBADMSG,
				    quote_name(image_.path()) +
					    ": damaged image, the kernel does "
					    "not mount it (" +
					    error.what() + ")");
		use_program(std::string("the kernel cannot be asked here (") +
			    error.what() + ")");
	}
}

/// @why the kernel does not do it, or what would help.
void ImageContents::use_program(const std::string &why)
{
	if (!find_fsck())
		throw_error(ENOENT, quote_name(image_.path()) +
					    ": to read compressed contents, " +
					    fsck_wanted() + "; " + why);
	if (image_.extra_devices() > 0 && plain_.devices().empty())
		throw_error(EOPNOTSUPP,
			    quote_name(image_.path()) +
				    ": it has compressed files, and data of "
				    "its devices in the same file, which "
				    "fsck.erofs does not read; " +
				    why);
	check_unprivileged_reader(image_.fd(), image_.path());
	for (const int device : device_files())
		check_unprivileged_reader(device, image_.path());
	tell_missing_confinement();
	pipes_.emplace(kHashThreads,
		       geteuid() == 0 ? reading_stranger().id : geteuid());
}

void ImageContents::read(const ErofsFile &file, unsigned int thread,
			 const DataSink &sink) const
{
	if (!file.data.compressed())
		plain_.read(file, sink);
	else if (mount_)
		read_by_kernel(file, sink);
	else
		read_by_program(file, thread, sink);
}

void ImageContents::read_by_kernel(const ErofsFile &file,
				   const DataSink &sink) const
{
	const UniqueFd fd = mount_->open(file.path, file.nid);
	std::vector<std::byte> buffer(std::size_t{1} << 18);
	std::uint64_t done = 0;

	for (;;) {
		const std::size_t got =
			read_at(fd.get(), buffer, done, quote_name(file.path));

		sink(std::span(buffer.data(), got));
		done += got;
		if (got < buffer.size())
			break;
	}
	if (done != file.size)
		throw_error(EIO, "the kernel reads " + std::to_string(done) +
					 " of " + std::to_string(file.size) +
					 " bytes");
}

void ImageContents::read_by_program(const ErofsFile &file, unsigned int thread,
				    const DataSink &sink) const
{
	// Each file has its own: what an earlier one left is gone.
	const UniqueFd data = pipes_->open(thread);
	ConfinedProgram program = {
		.words = {*find_fsck(), "-d3", "--no-preserve", "--overwrite",
			  "--extract=" + PipeDirectory::name(thread),
			  "--nid=" + std::to_string(file.nid)},
		.files = {image_.fd()},
		.directory = pipes_->path(),
		.data = data.get(),
		.seconds = kStartSeconds + file.size / kBytesPerSecond};
	std::uint64_t done = 0;

	for (const int device : device_files()) {
		program.files.push_back(device);
		program.words.push_back(
			"--device=/proc/self/fd/" +
			std::to_string(2 + program.files.size()));
	}
	program.words.emplace_back("/proc/self/fd/3");
	const ConfinedResult result =
		run_confined(program, [&](std::span<const std::byte> bytes) {
			done += bytes.size();
			if (done > file.size)
				throw_error(EIO, "fsck.erofs gives more than "
						 "the file's size");
			sink(bytes);
		});
	if (result.text.find(kBehindTheEnd) != std::string::npos)
		throw_error(EBADMSG, quote_name(image_.path()) +
					     ": damaged image, data behind the "
					     "end of " +
					     quote_name(file.path));
	if (result.status != 0 || result.cut_off || done != file.size)
		throw_error(EIO,
			    result.text.empty()
				    ? "fsck.erofs gives " +
					      std::to_string(done) + " of " +
					      std::to_string(file.size) +
					      " bytes, and ends with status " +
					      std::to_string(result.status)
				    : "fsck.erofs: " + last_line(result.text));
}

void ImageContents::close()
{
	if (pipes_)
		pipes_->remove();
}

ImageDigests hash_image(const ErofsImage &image,
			const std::vector<std::string> &devices,
			const std::vector<ErofsFile> &files,
			const ContentsOptions &options)
{
	ImageContents contents(image, devices, files, options);
	ImageDigests found;
	std::uint64_t total = 0;

	found.unreadable.resize(files.size());
	found.by_program = contents.by_program();
	for (const ErofsFile &file : files)
		total += file.size;
	const auto read = [&](std::size_t index, unsigned int thread,
			      const DataSink &sink) {
		try {
			contents.read(files[index], thread, sink);
		} catch (const std::system_error &error) {
			if (error.code().value() == EBADMSG ||
			    error.code().value() == EPERM)
				throw;
			found.unreadable[index] = error.what();
		}
	};
	found.digests = hash_contents(files.size(), total, image.path(), read);
	for (std::size_t i = 0; i < files.size(); i++)
		if (!found.unreadable[i].empty())
			found.digests[i].clear();
	contents.close();
	return found;
}

} // namespace erofs_share
