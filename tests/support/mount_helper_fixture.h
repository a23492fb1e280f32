// SPDX-License-Identifier: GPL-2.0-only
// What the tests of mount.erofs-share stand on: mount(8) itself, files with an
// id, mount points, fstab. Each cleans up after itself.
#pragma once

#include "base/child.h"
#include "support/fixture.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace erofs_share {

/// A file below /tmp, or another directory, removed when it goes out of scope.
class TemporaryFile {
      public:
	/// Where a file is made.
	struct Below {
		std::string directory;
	};

	/// An empty file of mode 0600.
	TemporaryFile() : TemporaryFile(Below{"/tmp"})
	{
	}
	explicit TemporaryFile(const Below &where);
	/// A copy of the file at @source.
	explicit TemporaryFile(const std::string &source);
	TemporaryFile(const TemporaryFile &) = delete;
	TemporaryFile &operator=(const TemporaryFile &) = delete;
	TemporaryFile(TemporaryFile &&) = delete;
	TemporaryFile &operator=(TemporaryFile &&) = delete;
	~TemporaryFile();

	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

      private:
	std::string path_;
};

/// A file of mode 0600 with a domain id, or with another text, in a directory
/// that only root can write.
class IdFile : public TemporaryFile {
      public:
	/// The id and @after.
	explicit IdFile(const DomainId &id, const std::string &after = "\n",
			const Below &where = {"/run"});
	explicit IdFile(const std::string &text);
};

/// A directory to mount on. Whatever is mounted there is unmounted when it goes
/// out of scope.
class MountPoint {
      public:
	MountPoint();
	MountPoint(const MountPoint &) = delete;
	MountPoint &operator=(const MountPoint &) = delete;
	MountPoint(MountPoint &&) = delete;
	MountPoint &operator=(MountPoint &&) = delete;
	~MountPoint();

	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

      private:
	std::string path_;
};

/// /etc/fstab with the given lines, gone when this goes.
class Fstab {
      public:
	explicit Fstab(const std::string &lines);
	Fstab(const Fstab &) = delete;
	Fstab &operator=(const Fstab &) = delete;
	Fstab(Fstab &&) = delete;
	Fstab &operator=(Fstab &&) = delete;
	~Fstab();
};

/// A mount namespace of its own, which a sleeping process keeps.
class Namespace {
      public:
	Namespace();

	/// Path of the namespace.
	[[nodiscard]] std::string path() const;
	/// Its mount table, as /proc/PID/mounts shows it.
	[[nodiscard]] std::string mounts() const;

      private:
	Child keeper_;
};

/// The source that /proc/self/mounts shows for @target; "" if nothing is
/// mounted there.
std::string mounted_source(const std::string &target);

/// Whether the loop device @path has a file.
bool is_attached(const std::string &path);

/// The loop devices that have a file.
std::vector<std::string> attached_loops();

/// Runs @argv and waits; both outputs are captured.
ProgramResult run(const std::vector<std::string> &argv);

/// mount -t erofs-share -o @options @source @target.
ProgramResult mount8(const std::string &options, const std::string &source,
		     const std::string &target);

/// umount @target.
ProgramResult umount8(const std::string &target);

/// The helper itself, without mount(8).
ProgramResult helper(const std::vector<std::string> &arguments);

/// A test of the mount helper. No loop device may be left behind.
class MountHelper : public ShareTest {
      protected:
	void SetUp() override;
	void TearDown() override;

	/// domain_id_file= with the path of a file that holds domain().
	[[nodiscard]] std::string options() const
	{
		return "domain_id_file=" + id_file_.path();
	}
	/// Whether @text holds the id of domain(), or half of it.
	[[nodiscard]] bool reveals(const std::string &text) const;

      private:
	IdFile id_file_{domain()};
	std::vector<std::string> loops_;
};

/// Prints a program's end readably in failures.
void PrintTo(const ProgramResult &result, std::ostream *out);

/// Matches a ProgramResult by exit status, and output: a text or a matcher.
MATCHER_P2(Prints, status, output,
	   "ends with status " + testing::PrintToString(status))
{
	return arg.status == status && testing::Matches(output)(arg.output);
}

} // namespace erofs_share
