// SPDX-License-Identifier: GPL-2.0-only
// What a guest's console says about the end of its kernel, on the host.
#pragma once

#include <string>

namespace erofs_share {

/// For a person: the lines of the console @path from shortly before the first
/// complaint on; without a complaint its last lines. "" if there is no file.
std::string console_excerpt(const std::string &path);

/// For a table: the first complaint on the console @path, where the kernel was
/// and which function of erofs had called that; equal crashes give equal text.
/// "" without a complaint.
std::string console_complaint(const std::string &path);

/// @line of a kernel log without what differs from crash to crash: addresses,
/// offsets, CPU and process.
std::string stable_complaint(const std::string &line);

} // namespace erofs_share
