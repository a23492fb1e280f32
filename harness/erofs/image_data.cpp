// SPDX-License-Identifier: GPL-2.0-only
// Data of an image's files that is not compressed.
#include "erofs/image_data.h"

#include "base/error.h"
#include "base/quote.h"
#include "erofs/erofs_format.h"

#include <algorithm>
#include <array>
#include <bit>

namespace erofs_share {

namespace {

constexpr std::uint16_t kChunkIndexes = 0x20;
/// The address of a chunk without data.
constexpr std::uint64_t kNoBlock = 0xffffffff;
constexpr std::size_t kBuffer = std::size_t{1} << 18;

} // namespace

ImageData::ImageData(const ErofsImage &image,
		     const std::vector<std::string> &devices)
    : image_(image)
{
	const std::vector<DeviceSlot> slots = image.devices();
	const std::uint64_t block = image.block_size();

	stores_.push_back({image.fd(), image.size(), 0, 0});
	flat_ = devices.empty() && !slots.empty();
	for (const DeviceSlot &slot : slots)
		if (flat_ &&
		    (slot.start == 0 ||
		     (slot.start + slot.blocks) * block > image.size()))
			throw_error(EINVAL,
				    quote_name(image.path()) +
					    ": expected --device=FILE " +
					    std::to_string(slots.size()) +
					    " times, for the data that is not "
					    "in the image, in the order in "
					    "which mkfs.erofs got them");
	for (std::size_t i = 0; i < slots.size(); i++) {
		Store store = {image.fd(), image.size(), slots[i].start * block,
			       slots[i].blocks * block};

		// There the kernel would read directories from the device, and
		// find other files than are found here.
		if (!flat_ && slots[i].start != 0 && slots[i].blocks != 0 &&
		    store.start < image.size())
			throw_error(EBADMSG,
				    quote_name(image.path()) +
					    ": damaged image, device " +
					    std::to_string(i + 1) +
					    " has the place of blocks that "
					    "are in the image");
		if (!flat_) {
			fds_.push_back(open_image_file(devices.at(i)));
			store.fd = fds_.back().get();
			store.size = image_size(store.fd, devices[i]);
		}
		stores_.push_back(store);
	}
}

void ImageData::corrupt(const ErofsFile &file, const std::string &what) const
{
	throw_error(EBADMSG, quote_name(image_.path()) + ": damaged image, " +
				     what + " of " + quote_name(file.path));
}

/// The device with what is at @offset of the image's own numbering, 0 for the
/// image itself. The kernel looks anew wherever a read begins: of what lies on
/// both sides of a border, readers would get different bytes.
std::size_t ImageData::device_of(const ErofsFile &file, std::uint64_t offset,
				 std::uint64_t length) const
{
	std::size_t found = 0;

	// The first counts, where they lie in each other.
	for (std::size_t i = stores_.size(); i-- > 1;) {
		const std::uint64_t start = stores_[i].start;
		const std::uint64_t end = start + stores_[i].length;
		const auto is_within = [&](std::uint64_t border) {
			return border > offset && border - offset < length;
		};

		if (start == 0 || start == end)
			continue;
		if (is_within(start) || is_within(end))
			corrupt(file, "data across the border of a device");
		if (offset >= start && offset < end)
			found = i;
	}
	return found;
}

/// Where @length bytes at @offset of @device lie, which is 0 for the image's
/// own numbering.
ImageData::Extent ImageData::place(const ErofsFile &file, std::size_t device,
				   std::uint64_t offset,
				   std::uint64_t length) const
{
	if (device >= stores_.size())
		corrupt(file, "device number " + std::to_string(device));
	if (flat_) {
		offset += stores_[device].start;
	} else if (device == 0) {
		device = device_of(file, offset, length);
		if (device != 0)
			offset -= stores_[device].start;
	}
	const Store &store = stores_[device];
	if (offset > store.size || length > store.size - offset)
		corrupt(file, "data behind the end of " +
				      std::string(device == 0 || flat_
							  ? "the image"
							  : "its device"));
	return {length, offset, store.fd};
}

void ImageData::visit_chunks(const ErofsFile &file, const Visit &visit) const
{
	const DataPlace &data = file.data;
	const bool indexes = (data.chunk_format & kChunkIndexes) != 0;
	const std::uint64_t unit = indexes ? 8 : 4;
	const auto block_bits = static_cast<unsigned int>(
		std::countr_zero(image_.block_size()));
	const unsigned int bits = block_bits + (data.chunk_format & kChunkBits);
	const std::uint64_t count = ((data.size - 1) >> bits) + 1;
	const std::uint64_t start = (data.tail + unit - 1) / unit * unit;
	const std::uint64_t devices =
		std::bit_ceil(image_.extra_devices() + 1) - 1;

	if ((data.chunk_format & ~(kChunkBits | kChunkIndexes)) != 0)
		throw_error(EOPNOTSUPP, quote_name(image_.path()) +
						": chunks of a newer form (" +
						quote_name(file.path) + ")");
	if (start > image_.size() || count > (image_.size() - start) / unit)
		corrupt(file, "the list of chunks");
	std::array<std::byte, 4096> part{};
	for (std::uint64_t i = 0; i < count; i++) {
		const std::size_t at = i * unit % part.size();

		if (at == 0)
			read_at(image_.fd(), part, start + i * unit,
				image_.path());
		const std::uint64_t block =
			number(part, indexes ? at + 4 : at, 4);
		const std::size_t device =
			indexes ? number(part, at + 2, 2) & devices : 0;
		const std::uint64_t length = std::min(std::uint64_t{1} << bits,
						      data.size - (i << bits));

		if (block == kNoBlock)
			visit({length, 0, -1});
		else
			visit(place(file, device, block << block_bits, length));
	}
}

void ImageData::visit_extents(const ErofsFile &file, const Visit &visit) const
{
	const DataPlace &data = file.data;
	const std::uint64_t block = image_.block_size();
	const std::uint64_t start = data.block * block;

	if (data.size == 0)
		return;
	switch (data.layout) {
	case kFlatPlain:
		visit(place(file, 0, start, data.size));
		return;
	case kFlatInline: {
		const std::uint64_t before = (data.size - 1) / block * block;
		const std::uint64_t rest = data.size - before;

		if (data.tail % block + rest > block)
			corrupt(file, "inline data");
		if (before > 0)
			visit(place(file, 0, start, before));
		if (data.tail > image_.size() ||
		    rest > image_.size() - data.tail)
			corrupt(file, "inline data");
		visit({rest, data.tail, image_.fd()});
		return;
	}
	case kChunks:
		visit_chunks(file, visit);
		return;
	default:
		corrupt(file, "data layout " + std::to_string(data.layout));
	}
}

void ImageData::check(const ErofsFile &file) const
{
	visit_extents(file, [](const Extent &) {});
}

void ImageData::read(const ErofsFile &file, const DataSink &sink) const
{
	static const std::vector<std::byte> kZeroes(kBuffer);
	// Filling a whole buffer takes longer than reading a small file.
	std::vector<std::byte> buffer(
		std::min<std::uint64_t>(kBuffer, file.data.size));

	check(file);
	visit_extents(file, [&](const Extent &extent) {
		for (std::uint64_t done = 0; done < extent.length;) {
			const std::size_t size = std::min<std::uint64_t>(
				kBuffer, extent.length - done);
			const std::span part(buffer.data(), size);

			if (extent.fd < 0)
				sink(std::span(kZeroes.data(), size));
			else if (read_at(extent.fd, part, extent.offset + done,
					 image_.path()) != size)
				corrupt(file, "data that went away");
			else
				sink(part);
			done += size;
		}
	});
}

} // namespace erofs_share
