// SPDX-License-Identifier: GPL-2.0-only
// The programs of erofs-utils, which read what we leave to them: compressed
// data.
#pragma once

#include "erofs/erofs_reader.h"

#include <cstdint>
#include <optional>
#include <string>

namespace erofs_share {

/// Path of the program @name in $PATH or where administrators' programs are.
std::optional<std::string> find_program(const std::string &name);

/// Path of fsck.erofs, of a version that reads single files: nothing where
/// there is none, or one older than 1.9. That is found out once.
const std::optional<std::string> &find_fsck();

/// What to install where find_fsck() found nothing, for a message.
const std::string &fsck_wanted();

/// Opens the image at @path, with the help of dump.erofs where names of
/// attributes are compressed. Throws as ErofsImage's constructor, and says what
/// to install.
ErofsImage open_image(const std::string &path);

/// Throws where @file, of the image @path, is nothing that a program can read
/// which runs without privileges.
void check_unprivileged_reader(int file, const std::string &path);

/// Says once, on standard error, which means of confining a program are missing
/// here.
void tell_missing_confinement();

/// The same, for who needs the names of attributes, fingerprints or not.
ErofsImage open_image_with_names(const std::string &path);

/// The last line of what a program printed.
std::string last_line(std::string text);

} // namespace erofs_share
