// SPDX-License-Identifier: GPL-2.0-only
// Other ways of having the files of similar images: what two images take of
// memory, and what reading costs, with each of them. The guest's part.
#pragma once

#include "wire/record.h"

#include <string>
#include <vector>

namespace erofs_share {

/// A way of mounting an image.
struct Alternative {
	const char *key;  ///< in records and on command lines
	const char *name; ///< for people
	const char *type; ///< of file system that lies on the disks
	/// Prefix of the serials of its disks: PREFIX-old, PREFIX-new (or, for
	/// overlays, PREFIX-delta), PREFIX-cost.
	const char *disks;
	bool shared;  ///< with inode_share
	bool overlay; ///< the new image is changes upon the old one
	bool dax;     ///< on memory that needs no page cache
	const char *note;
};

/// All of them, in the order of the table.
const std::vector<Alternative> &alternatives();

/// The one called @key; throws std::out_of_range.
const Alternative &find_alternative(const std::string &key);

/// Reads every file of the old and of the new image and sends a record
/// "alternative-memory": alternative, files, bytes, cached (growth of the page
/// cache of files), buffers (that of block devices), slab; all in bytes. For
/// dax, the images are copied to persistent memory first. Throws.
void measure_alternative_memory(const Alternative &alternative,
				const RecordWriter &records);

/// Counts instructions on an image of cost_tree() and sends a record
/// "alternative-cost": alternative, open_read_close, cold_read (one MiB).
/// Throws also when the guest's clock does not count instructions.
void measure_alternative_cost(const Alternative &alternative,
			      const RecordWriter &records);

} // namespace erofs_share
