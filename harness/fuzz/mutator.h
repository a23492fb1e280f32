// SPDX-License-Identifier: GPL-2.0-only
// Hostile images: changes to a sound erofs image, structure by structure, that
// depend on nothing but the image's name and a number. A mutant is kept as a
// recipe, one line of text, and never as an image.
#pragma once

#include "content/image_map.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace erofs_share {

/// How a mutant meets the kernel.
enum class Meeting : std::uint8_t {
	kAlone, ///< in a domain of its own: it serves its own reads
	kWarm,	///< the sound image is in the domain, and cached
	kCold,	///< it is in the domain, with its shared inodes, not cached
};

/// What the kernel is given the mutant as.
enum class Backed : std::uint8_t {
	kFile, ///< the image file itself
	kLoop, ///< a loop device
};

/// Some bytes of an image replaced.
struct Patch {
	std::size_t offset = 0;
	std::vector<std::byte> bytes;

	bool operator==(const Patch &) const = default;
};

/// One hostile image.
struct Mutant {
	std::string seed;	  ///< name of the sound image
	std::uint32_t digest = 0; ///< CRC-32C of that image
	Meeting meeting = Meeting::kAlone;
	Backed backed = Backed::kFile;
	std::vector<Patch> patches; ///< in ascending order, apart
	/// Where the file ends, if not where the seed does.
	std::optional<std::size_t> size;
	/// The structures that were changed, for statistics; not in a recipe.
	std::vector<const Field *> fields;

	/// One line: "SEED DIGEST MEETING BACKED [size=N] OFFSET=HEX...",
	/// numbers in hexadecimal.
	[[nodiscard]] std::string recipe() const;
	/// The mutant of @line. Throws std::invalid_argument, naming the word
	/// that is wrong.
	static Mutant from_recipe(std::string_view line);
};

/// CRC-32C of @bytes as the superblock has it: from ~0, not inverted.
std::uint32_t crc32c(std::span<const std::byte> bytes);

/// Gives @image, changed anywhere, a superblock checksum that fits, as the
/// kernel reads it: over the block size that the superblock says. Leaves an
/// image alone that is too short for it.
void mend_checksum(std::span<std::byte> image);

/// All mutants of one image.
class Mutator {
      public:
	/// @image is a sound image called @seed. Throws when it is not sound.
	Mutator(std::string seed, std::vector<std::byte> image);

	/// Mutant number @number; always the same one. Its fields live as long
	/// as this object.
	[[nodiscard]] Mutant make(std::uint64_t number) const;
	[[nodiscard]] const std::vector<std::byte> &image() const
	{
		return image_;
	}
	[[nodiscard]] std::uint32_t digest() const
	{
		return digest_;
	}

      private:
	class Work;

	std::string seed_;
	std::vector<std::byte> image_;
	std::uint32_t digest_;
	std::vector<Field> fields_;
	/// Fields by structure.
	std::vector<std::vector<const Field *>> by_structure_;
};

} // namespace erofs_share
