// SPDX-License-Identifier: GPL-2.0-only
// Making hostile images.
#include "fuzz/mutator.h"

#include "base/hex.h"
#include "erofs/erofs_format.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace erofs_share {

namespace {

/// How often each structure is chosen, where an image has it.
constexpr std::array<unsigned int, kStructures> kWeights = {
	14, 6, 6, 8, 18, 8, 5, 12, 6, 12, 12, 16, 6, 10, 6};

/// splitmix64: small, and the same everywhere.
class Random {
      public:
	explicit Random(std::uint64_t seed) : state_(seed)
	{
	}
	std::uint64_t next()
	{
		std::uint64_t x = state_ += 0x9e3779b97f4a7c15;

		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
		x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
		return x ^ (x >> 31);
	}
	/// Below @limit, which is not 0.
	std::uint64_t below(std::uint64_t limit)
	{
		return next() % limit;
	}
	bool one_in(std::uint64_t count)
	{
		return below(count) == 0;
	}
	template <typename T> const T &of(const std::vector<T> &all)
	{
		return all[below(all.size())];
	}

      private:
	std::uint64_t state_;
};

/// FNV-1a.
std::uint64_t hash(std::string_view text)
{
	std::uint64_t value = 0xcbf29ce484222325;

	for (const char c : text)
		value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
	return value;
}

bool is_number(const Field &field)
{
	return field.width == 1 || field.width == 2 || field.width == 4 ||
	       field.width == 8;
}

void write_number(std::span<std::byte> image, std::size_t offset,
		  std::size_t width, std::uint64_t value)
{
	for (std::size_t i = 0; i < width; i++, value >>= 8)
		image[offset + i] = static_cast<std::byte>(value & 0xff);
}

std::string hex(std::uint64_t value)
{
	std::ostringstream text;

	text << std::hex << value;
	return text.str();
}

std::uint64_t parse_hex(std::string_view text, std::string_view word)
{
	std::uint64_t value = 0;
	const auto [end, error] = std::from_chars(
		text.data(), text.data() + text.size(), value, 16);

	if (error != std::errc() || end != text.data() + text.size())
		throw std::invalid_argument("recipe: '" + std::string(word) +
					    "': expected a hexadecimal number");
	return value;
}

/// "OFFSET=HEX"
Patch parse_patch(std::string_view word)
{
	const std::size_t equals = word.find('=');
	Patch patch;

	if (equals == std::string_view::npos ||
	    (word.size() - equals) % 2 == 0 || equals + 1 == word.size())
		throw std::invalid_argument("recipe: '" + std::string(word) +
					    "': expected OFFSET=BYTES");
	patch.offset = parse_hex(word.substr(0, equals), word);
	for (std::size_t i = equals + 1; i < word.size(); i += 2)
		patch.bytes.push_back(static_cast<std::byte>(
			parse_hex(word.substr(i, 2), word)));
	return patch;
}

constexpr std::array<const char *, 3> kMeetings = {"alone", "warm", "cold"};
constexpr std::array<const char *, 2> kBacked = {"file", "loop"};

/// Which of @names @word is.
template <typename T, std::size_t N>
T parse_name(const std::array<const char *, N> &names, const std::string &word)
{
	for (std::size_t i = 0; i < N; i++)
		if (word == names[i])
			return static_cast<T>(i);
	throw std::invalid_argument("recipe: '" + word + "': expected " +
				    names[0] + " or " + names[N - 1]);
}

/// Ranges in which @now differs from @before; a gap of up to 4 bytes does not
/// end one.
std::vector<Patch> patches_between(std::span<const std::byte> before,
				   std::span<const std::byte> now)
{
	std::vector<Patch> patches;

	for (std::size_t i = 0; i < now.size(); i++) {
		if (before[i] == now[i])
			continue;
		if (patches.empty() ||
		    i > patches.back().offset + patches.back().bytes.size() + 4)
			patches.push_back({i, {}});
		Patch &last = patches.back();
		for (std::size_t at = last.offset + last.bytes.size(); at <= i;
		     at++)
			last.bytes.push_back(now[at]);
	}
	return patches;
}

} // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes)
{
	static const auto kTable = [] {
		std::array<std::uint32_t, 256> table{};

		for (std::uint32_t i = 0; i < 256; i++) {
			std::uint32_t crc = i;

			for (int bit = 0; bit < 8; bit++)
				crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78
						     : crc >> 1;
			table[i] = crc;
		}
		return table;
	}();
	std::uint32_t crc = ~0U;

	for (const std::byte byte : bytes)
		crc = crc >> 8 ^
		      kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) &
			     0xff];
	return crc;
}

// super.c, erofs_superblock_csum_verify()
void mend_checksum(std::span<std::byte> image)
{
	const std::uint64_t bits =
		read_number(image, kSuperOffset + kSuperBlockBits, 1);
	std::size_t length = std::size_t{1}
			     << std::min<std::uint64_t>(bits, 20);

	if (length > kSuperOffset)
		length -= kSuperOffset;
	if (length > image.size() - kSuperOffset)
		return;
	write_number(image, kSuperOffset + kSuperChecksum, 4, 0);
	write_number(image, kSuperOffset + kSuperChecksum, 4,
		     crc32c(image.subspan(kSuperOffset, length)));
}

std::string Mutant::recipe() const
{
	std::string line = seed + " " + hex(digest) + " " +
			   kMeetings[static_cast<std::size_t>(meeting)] + " " +
			   kBacked[static_cast<std::size_t>(backed)];

	if (size)
		line += " size=" + hex(*size);
	for (const Patch &patch : patches)
		line += " " + hex(patch.offset) + "=" + hex_of(patch.bytes);
	return line;
}

Mutant Mutant::from_recipe(std::string_view line)
{
	std::istringstream words{std::string(line)};
	std::string digest;
	std::string meeting;
	std::string backed;
	Mutant mutant;

	if (!(words >> mutant.seed >> digest >> meeting >> backed))
		throw std::invalid_argument(
			"recipe: expected SEED DIGEST MEETING BACKED "
			"OFFSET=BYTES...");
	mutant.digest = static_cast<std::uint32_t>(parse_hex(digest, digest));
	mutant.meeting = parse_name<Meeting>(kMeetings, meeting);
	mutant.backed = parse_name<Backed>(kBacked, backed);
	for (std::string word; words >> word;) {
		if (word.rfind("size=", 0) == 0)
			mutant.size = parse_hex(
				std::string_view(word).substr(5), word);
		else
			mutant.patches.push_back(parse_patch(word));
	}
	return mutant;
}

/// One mutant in the making.
class Mutator::Work {
      public:
	Work(const Mutator &mutator, std::uint64_t number)
	    : mutator_(mutator),
	      random_(hash(mutator.seed_) ^ number * 0x9fb21c651e98df25),
	      image_(mutator.image_)
	{
		mutant_.seed = mutator.seed_;
		mutant_.digest = mutator.digest_;
	}

	Mutant run()
	{
		choose_meeting();
		// Mostly few: the first one that is noticed hides the others.
		const std::uint64_t count =
			1 + std::min(random_.below(6), random_.below(6));
		// Some changes change nothing.
		for (std::uint64_t i = 0;
		     i < count || image_ == mutator_.image_; i++)
			mutate(choose());
		if (random_.one_in(60))
			cut();
		// Most are to get past the checksum.
		if (!random_.one_in(40))
			mend_checksum(image_);
		mutant_.patches = patches_between(mutator_.image_, image_);
		return std::move(mutant_);
	}

      private:
	void choose_meeting()
	{
		const std::uint64_t die = random_.below(10);

		mutant_.meeting = die < 5   ? Meeting::kAlone
				  : die < 7 ? Meeting::kWarm
					    : Meeting::kCold;
		mutant_.backed =
			random_.one_in(4) ? Backed::kLoop : Backed::kFile;
	}

	const Field &choose()
	{
		unsigned int sum = 0;

		for (std::size_t i = 0; i < kStructures; i++)
			if (!mutator_.by_structure_[i].empty())
				sum += kWeights[i];
		std::uint64_t left = random_.below(sum);
		for (std::size_t i = 0;; i++) {
			if (mutator_.by_structure_[i].empty())
				continue;
			if (left < kWeights[i])
				return *random_.of(mutator_.by_structure_[i]);
			left -= kWeights[i];
		}
	}

	void mutate(const Field &field)
	{
		mutant_.fields.push_back(&field);
		if (random_.one_in(8) && exchange(field))
			return;
		if (is_number(field))
			write_number(image_, field.offset, field.width,
				     new_number(field));
		else
			new_bytes(field);
	}

	/// Gives @field what another field of the same name has, or exchanges
	/// the two. False if there is no other.
	bool exchange(const Field &field)
	{
		std::vector<const Field *> others;

		for (const Field *other :
		     mutator_.by_structure_[static_cast<std::size_t>(
			     field.structure)])
			if (other != &field && other->width == field.width &&
			    std::strcmp(other->name, field.name) == 0)
				others.push_back(other);
		if (others.empty())
			return false;
		const Field &other = *random_.of(others);
		const auto mine = image_.begin() +
				  static_cast<std::ptrdiff_t>(field.offset);
		const auto theirs = image_.begin() +
				    static_cast<std::ptrdiff_t>(other.offset);
		const auto width = static_cast<std::ptrdiff_t>(field.width);
		if (random_.one_in(2))
			std::copy(theirs, theirs + width, mine);
		else
			std::swap_ranges(mine, mine + width, theirs);
		return true;
	}

	std::uint64_t new_number(const Field &field)
	{
		const std::uint64_t old =
			read_number(image_, field.offset, field.width);
		const unsigned int bits =
			static_cast<unsigned int>(field.width) * 8;

		switch (random_.below(6)) {
		case 0:
		case 1:
			return interesting();
		case 2:
			return old + random_.below(16) + 1;
		case 3:
			return old - random_.below(16) - 1;
		case 4:
			return old ^ std::uint64_t{1} << random_.below(bits);
		default:
			// Of any magnitude.
			return random_.next() >> random_.below(bits) &
			       (~std::uint64_t{0} >> (64 - bits));
		}
	}

	/// Where arithmetic and limits go wrong.
	std::uint64_t interesting()
	{
		static constexpr std::array<std::uint64_t, 16> kBases = {
			0,	  1,	    2,		7,
			0x0f,	  0x40,	    0x80,	0x100,
			0x1000,	  0x8000,   0x10000,	0x20000,
			0x100000, 1U << 31, 1ULL << 32, 1ULL << 63,
		};
		const std::uint64_t size = mutator_.image_.size();
		const std::uint64_t base =
			random_.one_in(6)
				? (random_.one_in(2) ? size : size >> 12)
				: kBases[random_.below(kBases.size())];

		return base + random_.below(3) - 1;
	}

	void new_bytes(const Field &field)
	{
		const std::span<std::byte> bytes =
			std::span(image_).subspan(field.offset, field.width);
		const std::size_t start = random_.below(bytes.size());

		switch (random_.below(4)) {
		case 0: // a run of one byte
			std::fill_n(
				bytes.begin() +
					static_cast<std::ptrdiff_t>(start),
				std::min<std::size_t>(bytes.size() - start,
						      1 + random_.below(32)),
				random_.one_in(2) ? std::byte{0}
						  : std::byte{'/'});
			break;
		case 1:
			bytes[start] ^= std::byte{1} << random_.below(8);
			break;
		default: // random ones
			for (std::size_t i = start;
			     i < bytes.size() && i < start + 24; i++) {
				bytes[i] = static_cast<std::byte>(
					random_.next() & 0xff);
				if (random_.one_in(4))
					break;
			}
		}
	}

	/// Lets the image end early. A loop device keeps its size.
	void cut()
	{
		mutant_.backed = Backed::kFile;
		mutant_.size = random_.below(image_.size());
	}

	const Mutator &mutator_;
	Random random_;
	std::vector<std::byte> image_;
	Mutant mutant_;
};

Mutator::Mutator(std::string seed, std::vector<std::byte> image)
    : seed_(std::move(seed)), image_(std::move(image)), digest_(crc32c(image_)),
      fields_(map_image(image_)), by_structure_(kStructures)
{
	for (const Field &field : fields_)
		by_structure_[static_cast<std::size_t>(field.structure)]
			.push_back(&field);
}

Mutant Mutator::make(std::uint64_t number) const
{
	return Work(*this, number).run();
}

} // namespace erofs_share
