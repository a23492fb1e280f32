// SPDX-License-Identifier: GPL-2.0-only
// The scale benchmark's part in the guest: many mounts, many files. Each
// measurement is a record "bench" for the host. Images are files of the disk
// called "images"; they are read before they are measured, so that nothing
// waits for a device.
#pragma once

#include "machine/mount.h"
#include "wire/record.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace erofs_share {

/// Whoever takes the records.
using SendRecord = std::function<void(const Record &)>;

/// The disk with the images, mounted read-only while this lives. Throws.
Mount mount_image_store();

/// How mounts are made in a measurement.
enum class ShareMode {
	kPlain,	     ///< without inode_share
	kOneDomain,  ///< all in one domain
	kOwnDomains, ///< each in a domain of its own
};

/// "plain", "one" or "own", as records have it.
const char *mode_name(ShareMode mode);

/// Mounts @count images in each mode: the first image so often when @same, else
/// so many different ones. Sends a record for each mode: name ("mounts"),
/// count, same, mode; mount, open, umount: nanoseconds of CPU time for each;
/// per mount, with one file open, in KB of all together: used, slab, percpu
/// (above what there was before); umount_elapsed: nanoseconds for all. Throws.
void measure_mounts(std::uint64_t count, bool same, const SendRecord &send);

/// Opens and closes each of the @count files of the image "many" once: plain,
/// in a new domain, and through a second mount in that domain. Sends a record
/// at each power of ten: name ("files"), count; plain, made, found: nanoseconds
/// of CPU time for each of the last tenth of the opens; plain_used, made_used,
/// found_used: KB that the kernel uses more than before the first open. Throws.
void measure_files(std::uint64_t count, const SendRecord &send);

} // namespace erofs_share
