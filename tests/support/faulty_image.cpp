// SPDX-License-Identifier: GPL-2.0-only
// Test images on devices that can be made to fail or to stall.
#include "support/faulty_image.h"

#include "base/error.h"
#include "support/fixture.h"

#include <sys/mount.h>
#include <sys/stat.h>

namespace erofs_share {

namespace {

constexpr const char *kFaultyStore = "/run/faulty";

std::string lower_disk(const FaultyCase &which)
{
	if (which.backing == Backing::kDisk)
		return images().find(which.image).disk();
	// The store's own disk is in use: this is a second one like it.
	return find_disk("faulty").value_or("no disk called faulty");
}

} // namespace

std::vector<FaultyCase> faulty_cases()
{
	std::vector<FaultyCase> cases;

	for (const char *image :
	     {"enc-plain", "enc-noinline", "enc-chunk", "enc-lz4", "enc-lz4hc",
	      "enc-lzma", "enc-deflate", "enc-zstd", "enc-fragments"})
		cases.push_back({image, Backing::kDisk});
	for (const char *image : {"enc-plain", "enc-chunk", "enc-lz4"})
		cases.push_back({image, Backing::kFile});
	return cases;
}

std::string case_name(const FaultyCase &which)
{
	return parameter_name(which.image) +
	       (which.backing == Backing::kFile ? "_in_a_file" : "_on_a_disk");
}

FaultyImage::FaultyImage(const FaultyCase &which)
    : image_(which.image), device_(lower_disk(which))
{
	if (which.backing == Backing::kDisk)
		return;
	if (mkdir(kFaultyStore, 0755) != 0 && errno != EEXIST)
		throw_errno(std::string("mkdir ") + kFaultyStore);
	store_.emplace(mount_other("ext4", device_.path(), kFaultyStore,
				   MS_RDONLY, "noload"));
}

std::pair<std::optional<Mount>, MountOutcome>
FaultyImage::try_mount(const MountOptions &options) const
{
	if (!store_)
		return try_mount_erofs(device_.path(), options);

	MountOptions direct = options;

	direct.extra.emplace_back("directio");
	return try_mount_erofs(store_->at(image_ + ".erofs"), direct);
}

Mount FaultyImage::mount(const MountOptions &options) const
{
	auto [mounted, outcome] = try_mount(options);

	if (!mounted)
		throw_error(outcome.error,
			    "mount " + image_ + ": " + outcome.text());
	return std::move(*mounted);
}

std::string FaultyImage::unsupported() const
{
	const auto [mounted, outcome] = try_mount({});

	return mounted ? ""
		       : "this kernel cannot mount " + image_ + " (" +
				 outcome.text() + ")";
}

} // namespace erofs_share
