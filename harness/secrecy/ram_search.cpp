// SPDX-License-Identifier: GPL-2.0-only
// The forms of an id, and where memory holds them.
#include "secrecy/ram_search.h"

#include "base/error.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::size_t kAround = 64;

/// @text with a zero byte before or after each of its bytes.
std::string widen(std::string_view text, bool zero_first)
{
	std::string wide;

	for (const char c : text) {
		if (zero_first)
			wide += '\0';
		wide += c;
		if (!zero_first)
			wide += '\0';
	}
	return wide;
}

/// Offsets of @needle in @memory.
std::vector<std::size_t> find_all(std::span<const std::byte> memory,
				  std::string_view needle)
{
	std::vector<std::size_t> found;
	const auto *from = memory.data();
	const auto *end = memory.data() + memory.size();

	for (;;) {
		const void *at =
			memmem(from, static_cast<std::size_t>(end - from),
			       needle.data(), needle.size());

		if (at == nullptr)
			return found;
		from = static_cast<const std::byte *>(at);
		found.push_back(static_cast<std::size_t>(from - memory.data()));
		from++;
	}
}

/// Whether @a and @b have a byte in common.
bool overlap(const RamHit &a, const RamHit &b)
{
	return a.address < b.address + b.length &&
	       b.address < a.address + a.length;
}

/// @hits without those that overlap a longer one, or an earlier one as long.
std::vector<RamHit> distinct(std::vector<RamHit> hits)
{
	std::vector<RamHit> kept;

	std::stable_sort(hits.begin(), hits.end(),
			 [](const RamHit &a, const RamHit &b) {
				 return a.length > b.length;
			 });
	for (RamHit &hit : hits)
		if (std::none_of(kept.begin(), kept.end(),
				 [&](const RamHit &other) {
					 return overlap(hit, other);
				 }))
			kept.push_back(std::move(hit));
	return kept;
}

/// What is around @hit in @memory, with @hits hidden.
std::string surroundings(std::span<const std::byte> memory, const RamHit &hit,
			 const std::vector<RamHit> &hits)
{
	const std::size_t start =
		hit.address < kAround ? 0 : hit.address - kAround;
	const std::size_t end =
		std::min(hit.address + hit.length + kAround, memory.size());
	std::string text;

	for (std::size_t i = start; i < end; i++) {
		const auto c = std::to_integer<unsigned char>(memory[i]);
		const RamHit byte{.address = i, .length = 1, .form = {}};

		if (std::any_of(hits.begin(), hits.end(),
				[&](const RamHit &other) {
					return overlap(byte, other);
				}))
			text += '*';
		else
			text += std::isprint(c) != 0 ? static_cast<char>(c)
						     : '.';
	}
	return text;
}

} // namespace

RamSearch::RamSearch(const DomainId &id)
{
	const DomainId::Revealed plain = id.reveal();
	const std::string text(plain.view());

	if (text.size() < 16)
		throw std::invalid_argument(
			"a domain id of less than 16 bytes cannot be told from "
			"what is in memory by chance");
	forms_.push_back({"bytes", text});
	forms_.push_back({"UTF-16LE", widen(text, false)});
	forms_.push_back({"UTF-16BE", widen(text, true)});
	forms_.push_back({"reversed", {text.rbegin(), text.rend()}});
}

void RamSearch::Form::find(std::span<const std::byte> memory,
			   std::vector<RamHit> &hits) const
{
	const std::size_t half = text.size() / 2;
	const std::string_view all = text;
	const std::vector<std::size_t> first =
		find_all(memory, all.substr(0, half));
	const std::vector<std::size_t> second =
		find_all(memory, all.substr(half));

	for (const std::size_t at : first) {
		const bool whole = std::binary_search(second.begin(),
						      second.end(), at + half);

		if (whole)
			hits.push_back({at, all.size(), name});
		else
			hits.push_back(
				{at, half, std::string(name) + ", first half"});
	}
	for (const std::size_t at : second)
		if (at < half ||
		    !std::binary_search(first.begin(), first.end(), at - half))
			hits.push_back({at, all.size() - half,
					std::string(name) + ", second half"});
}

std::vector<RamHit> RamSearch::search(std::span<const std::byte> memory,
				      std::uint64_t address) const
{
	std::vector<RamHit> hits;

	for (const Form &form : forms_)
		form.find(memory, hits);
	hits = distinct(std::move(hits));
	for (RamHit &hit : hits)
		hit.around = surroundings(memory, hit, hits);
	for (RamHit &hit : hits)
		hit.address += address;
	return hits;
}

RamFile::RamFile(const std::string &path)
    : fd_(open_file(path, O_RDONLY)), path_(path)
{
	struct stat status {};

	if (fstat(fd_.get(), &status) != 0)
		throw_errno("stat " + path);
	const auto size = static_cast<std::size_t>(status.st_size);
	void *at = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_.get(), 0);
	if (at == MAP_FAILED)
		throw_errno("mmap " + path);
	bytes_ = {static_cast<const std::byte *>(at), size};
}

RamFile::~RamFile()
{
	munmap(const_cast<std::byte *>(bytes_.data()), bytes_.size());
}

std::vector<RamHit> RamFile::search(const RamSearch &search) const
{
	std::vector<RamHit> hits;
	off_t end = 0;

	for (;;) {
		const off_t data = lseek(fd_.get(), end, SEEK_DATA);

		if (data < 0 && errno == ENXIO)
			return hits;
		if (data < 0)
			throw_errno("seek in " + path_);
		end = lseek(fd_.get(), data, SEEK_HOLE);
		if (end < 0)
			throw_errno("seek in " + path_);
		const std::vector<RamHit> part = search.search(
			bytes_.subspan(static_cast<std::size_t>(data),
				       static_cast<std::size_t>(end - data)),
			static_cast<std::uint64_t>(data));
		hits.insert(hits.end(), part.begin(), part.end());
	}
}

} // namespace erofs_share
