// SPDX-License-Identifier: GPL-2.0-only
// Mounting erofs images, with the sharing options, through each of the ways
// that user space has: fsopen(2), mount(2) and libmount. A failed mount is an
// answer here, not an exception: its errno and what the kernel said come back.
#pragma once

#include "machine/domain_id.h"
#include "os/fs_context.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace erofs_share {

/// Which interface carries the mount options to the kernel.
enum class MountApi {
	kFsopen,   ///< fsopen, fsconfig, fsmount, move_mount
	kMount,	   ///< mount(2) with one option string
	kLibmount, ///< libmount, as mount(8) does it
};

/// The options of one mount or remount.
struct MountOptions {
	bool inode_share = false;
	std::optional<DomainId> domain;
	/// Further options: "key" or "key=value".
	std::vector<std::string> extra;

	/// inode_share in the domain @id.
	static MountOptions sharing(const DomainId &id)
	{
		return {.inode_share = true, .domain = id, .extra = {}};
	}
};

/// A mounted file system; unmounted when it goes out of scope.
class Mount {
      public:
	/// Takes over the mount at @target; removes that directory with it
	/// when @own_target.
	Mount(std::string target, bool own_target)
	    : target_(std::move(target)), own_target_(own_target)
	{
	}
	Mount(const Mount &) = delete;
	Mount &operator=(const Mount &) = delete;
	Mount(Mount &&other) noexcept
	    : target_(std::exchange(other.target_, {})),
	      own_target_(other.own_target_)
	{
	}
	Mount &operator=(Mount &&other) noexcept;
	/// Detaches lazily, and says so on standard error, if it stays busy for
	/// twenty seconds.
	~Mount();

	[[nodiscard]] const std::string &path() const
	{
		return target_;
	}
	/// Path of @name below this mount.
	[[nodiscard]] std::string at(const std::string &name) const
	{
		return target_ + "/" + name;
	}

	/// umount2(2) without flags. Returns the errno; 0 when unmounted.
	int try_unmount();
	/// Unmounts, or throws.
	void unmount();

	/// Leaves the mount to whoever unmounted or detached it by other means.
	void forget()
	{
		drop_target();
	}

	/// Changes options of the mounted superblock. kLibmount is not
	/// offered here: it ends in mount(2).
	[[nodiscard]] MountOutcome
	remount(const MountOptions &options,
		MountApi api = MountApi::kFsopen) const;

      private:
	void drop_target();

	std::string target_;
	bool own_target_ = false;
};

/// Tries to mount the erofs image in @source (a block device or, since 6.12, a
/// regular file) read-only on a new directory below /mnt.
/// Returns the mount if the kernel took it, and how it answered.
std::pair<std::optional<Mount>, MountOutcome>
try_mount_erofs(const std::string &source, const MountOptions &options = {},
		MountApi api = MountApi::kFsopen);

/// The same, for callers that need the mount: throws with the kernel's words.
Mount mount_erofs(const std::string &source, const MountOptions &options = {},
		  MountApi api = MountApi::kFsopen);

/// Mounts a file system of another type read-only (or as @data asks) on
/// @target, which must exist. Throws.
Mount mount_other(const std::string &type, const std::string &source,
		  const std::string &target, unsigned long flags,
		  const std::string &data);

} // namespace erofs_share
