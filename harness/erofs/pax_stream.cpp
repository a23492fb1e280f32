// SPDX-License-Identifier: GPL-2.0-only
// Writes a tree as a tar archive in pax format.
//
// Format: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block";
// attributes as records SCHILY.xattr.NAME. What mkfs.erofs makes of them:
// lib/tar.c of erofs-utils 1.9.4.
#include "erofs/pax_stream.h"

#include "base/error.h"

#include <algorithm>
#include <cstdio>
#include <sys/stat.h>

namespace erofs_share {

namespace {

constexpr std::size_t kRecord = 512;
/// What is written at once.
constexpr std::size_t kBuffer = std::size_t{1} << 18;

/// A record of a pax header; its length, which it begins with, counts itself.
std::string pax_record(const std::string &key, const std::string &value)
{
	const std::string rest = " " + key + "=" + value + "\n";
	std::size_t length = rest.size();

	while (std::to_string(length).size() + rest.size() != length)
		length = std::to_string(length).size() + rest.size();
	return std::to_string(length) + rest;
}

/// The modification time of @node, with nine digits behind the point.
std::string time_text(const ErofsNode &node)
{
	std::int64_t seconds = node.seconds;
	std::uint32_t nanoseconds = node.nanoseconds;
	std::string text;
	std::string part;

	if (nanoseconds == 0)
		return std::to_string(seconds);
	// -1.25 is what the inode has as -2 seconds and 0.75.
	if (seconds < 0) {
		text = "-";
		seconds = -(seconds + 1);
		nanoseconds = 1000000000 - nanoseconds;
	}
	part = std::to_string(nanoseconds);
	return text + std::to_string(seconds) + "." +
	       std::string(9 - part.size(), '0') + part;
}

/// In a way that no path is taken for a name with a meaning of its own.
std::string member_path(const std::string &path)
{
	return path.empty() ? "." : "./" + path;
}

/// Writes @value in octal digits, or zero where it has too many: then a record
/// has it.
void put_octal(std::span<char> field, std::uint64_t value)
{
	const int digits = static_cast<int>(field.size() - 1);

	if (value >> (3 * digits) != 0)
		value = 0;
	std::snprintf(field.data(), field.size(), "%0*llo", digits,
		      static_cast<unsigned long long>(value));
}

std::string header(char type, std::uint64_t size, const ErofsNode &node)
{
	std::string block(kRecord, '\0');
	const std::span<char> bytes(block);
	unsigned int sum = 0;

	// The records have all that may not fit.
	block.replace(0, 3, "pax");
	put_octal(bytes.subspan(100, 8), node.mode & 07777);
	put_octal(bytes.subspan(108, 8), node.uid);
	put_octal(bytes.subspan(116, 8), node.gid);
	put_octal(bytes.subspan(124, 12), size);
	put_octal(bytes.subspan(136, 12), 0);
	std::fill_n(bytes.data() + 148, 8, ' ');
	block[156] = type;
	block.replace(257, 8,
		      std::string("ustar\0"
				  "00",
				  8));
	put_octal(bytes.subspan(329, 8), node.major);
	put_octal(bytes.subspan(337, 8), node.minor);
	for (const char byte : block)
		sum += static_cast<unsigned char>(byte);
	put_octal(bytes.subspan(148, 7), sum);
	return block;
}

std::string padding(std::uint64_t size)
{
	std::string zeroes;

	zeroes.resize((kRecord - size % kRecord) % kRecord);
	return zeroes;
}

char member_type(std::uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '0';
	}
}

} // namespace

bool pax_can_name(const ErofsAttribute &attribute)
{
	return attribute.name.find('=') == std::string::npos;
}

PaxStream::PaxStream(int fd, std::string name) : fd_(fd), name_(std::move(name))
{
}

void PaxStream::member(char type, const std::string &records,
		       std::uint64_t size, const ErofsNode &node)
{
	buffer_ += header('x', records.size(), ErofsNode{});
	buffer_ += records + padding(records.size());
	buffer_ += header(type, size, node);
	if (buffer_.size() >= kBuffer)
		flush();
}

void PaxStream::begin(const std::string &path, const ErofsNode &node)
{
	const std::uint64_t size = S_ISREG(node.mode) ? node.size : 0;
	std::string records = pax_record("path", member_path(path)) +
			      pax_record("mtime", time_text(node)) +
			      pax_record("uid", std::to_string(node.uid)) +
			      pax_record("gid", std::to_string(node.gid));

	if (size > 0)
		records += pax_record("size", std::to_string(size));
	if (S_ISLNK(node.mode))
		records += pax_record("linkpath", node.target);
	for (const ErofsAttribute &attribute : node.attributes)
		if (!attribute.fingerprint)
			records += pax_record("SCHILY.xattr." + attribute.name,
					      attribute.value);
	member(member_type(node.mode), records, size, node);
	bytes_ = 0;
}

void PaxStream::link(const std::string &path, const std::string &first)
{
	member('1',
	       pax_record("path", member_path(path)) +
		       pax_record("linkpath", member_path(first)),
	       0, ErofsNode{});
}

void PaxStream::data(std::span<const std::byte> bytes)
{
	buffer_.append(reinterpret_cast<const char *>(bytes.data()),
		       bytes.size());
	bytes_ += bytes.size();
	if (buffer_.size() >= kBuffer)
		flush();
}

void PaxStream::end_data()
{
	buffer_ += padding(bytes_);
	bytes_ = 0;
}

void PaxStream::end()
{
	buffer_ += std::string(2 * kRecord, '\0');
	flush();
}

void PaxStream::flush()
{
	write_all(fd_, std::as_bytes(std::span(buffer_)), name_);
	buffer_.clear();
}

} // namespace erofs_share
