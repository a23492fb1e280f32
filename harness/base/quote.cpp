// SPDX-License-Identifier: GPL-2.0-only
// Names from images, as they can be printed, or pasted into a shell.
#include "base/quote.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace erofs_share {

namespace {

/// Continuation bytes that @first announces in UTF-8; 0 if it cannot be the
/// first of several.
std::size_t more_bytes(unsigned char first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	if (first >= 0xf0 && first <= 0xf4)
		return 3;
	return 0;
}

/// Whether @code can be shown: no control character, nothing that turns the
/// direction of text or takes no place (Default_Ignorable_Code_Point of
/// Unicode), no half of a pair.
bool is_printable(std::uint32_t code)
{
	const auto within = [code](std::uint32_t from, std::uint32_t to) {
		return code >= from && code <= to;
	};

	return code >= 0xa0 && code <= 0x10ffff && !within(0xd800, 0xdfff) &&
	       code != 0xad && code != 0x34f && code != 0x61c &&
	       !within(0x115f, 0x1160) && !within(0x17b4, 0x17b5) &&
	       !within(0x180b, 0x180f) && !within(0x200b, 0x200f) &&
	       !within(0x2028, 0x202e) && !within(0x2060, 0x206f) &&
	       code != 0x3164 && !within(0xfe00, 0xfe0f) && code != 0xfeff &&
	       code != 0xffa0 && !within(0xfff0, 0xfffb) &&
	       !within(0x1bca0, 0x1bca3) && !within(0x1d173, 0x1d17a) &&
	       !within(0xe0000, 0xe0fff);
}

/// A character of UTF-8.
struct Character {
	std::size_t size = 0; ///< in bytes; 0 if it is none
	std::uint32_t code = 0;
};

/// The character that @text starts with.
Character first_of(std::string_view text)
{
	static constexpr std::array<std::uint32_t, 4> kLeast = {0, 0x80, 0x800,
								0x10000};
	const auto first = static_cast<unsigned char>(text.front());

	if (first < 0x80)
		return {1, first};
	const std::size_t more = more_bytes(first);
	if (more == 0 || text.size() <= more)
		return {};
	std::uint32_t code = first & (0x3fU >> more);
	for (std::size_t i = 1; i <= more; i++) {
		const auto next = static_cast<unsigned char>(text[i]);

		if ((next & 0xc0) != 0x80)
			return {};
		code = code << 6 | (next & 0x3f);
	}
	if (code < kLeast[more] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return {};
	return {more + 1, code};
}

/// Bytes of the printable character that @text starts with; 0 if there is none.
std::size_t printable(std::string_view text)
{
	const Character first = first_of(text);

	if (first.size == 1)
		return first.code >= 0x20 && first.code != 0x7f ? 1 : 0;
	return first.size != 0 && is_printable(first.code) ? first.size : 0;
}

std::string escape(char byte)
{
	const auto value = static_cast<unsigned char>(byte);

	switch (byte) {
	case '\n':
		return "\\n";
	case '\t':
		return "\\t";
	default:
		return {'\\', static_cast<char>('0' + (value >> 6)),
			static_cast<char>('0' + (value >> 3 & 7)),
			static_cast<char>('0' + (value & 7))};
	}
}

} // namespace

std::string quote_name(std::string_view name)
{
	// What looks like our quotes must not be taken for them.
	bool plain = !name.starts_with("$'");
	std::string text = "$'";

	for (std::size_t at = 0; at < name.size();) {
		const std::size_t size = printable(name.substr(at));

		if (size == 0) {
			plain = false;
			text += escape(name[at++]);
			continue;
		}
		if (name[at] == '\\' || name[at] == '\'')
			text += '\\';
		text += name.substr(at, size);
		at += size;
	}
	return plain ? std::string(name) : text + "'";
}

std::string shell_word(std::string_view name)
{
	static constexpr std::string_view kPlain =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-+=.,:/@%";
	std::string text = "'";

	if (const std::string escaped = quote_name(name); escaped != name)
		return escaped;
	if (!name.empty() &&
	    name.find_first_not_of(kPlain) == std::string_view::npos)
		return std::string(name);
	for (const char byte : name)
		if (byte == '\'')
			text += "'\\''";
		else
			text += byte;
	return text + "'";
}

std::string utf8_text(std::string_view text)
{
	std::string plain;

	for (std::size_t at = 0; at < text.size();) {
		const std::size_t size = first_of(text.substr(at)).size;

		plain += size != 0 ? text.substr(at, size) : "\xef\xbf\xbd";
		at += size != 0 ? size : 1;
	}
	return plain;
}

std::string one_line(std::string_view text)
{
	std::string line;

	for (std::size_t at = 0; at < text.size();) {
		const std::size_t size = printable(text.substr(at));

		if (size == 0) {
			line += escape(text[at++]);
			continue;
		}
		line += text.substr(at, size);
		at += size;
	}
	return line;
}

} // namespace erofs_share
