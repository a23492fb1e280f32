// SPDX-License-Identifier: GPL-2.0-only
// How the library reports failure: std::system_error whose message names the
// call and the path. Calls whose errno is itself the subject of a test return
// the errno instead and say so in their doc comment.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace erofs_share {

/// Throws std::system_error for @error; @what names the call and the path.
[[noreturn]] inline void throw_error(int error, const std::string &what)
{
	throw std::system_error(error, std::generic_category(), what);
}

/// Throws std::system_error for the current errno.
[[noreturn]] inline void throw_errno(const std::string &what)
{
	throw_error(errno, what);
}

} // namespace erofs_share
