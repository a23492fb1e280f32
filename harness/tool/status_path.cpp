// SPDX-License-Identifier: GPL-2.0-only
// Putting together what the mount table, the counters and the images say of one
// path. The kernel does not tell which inode is attached, but it counts them:
// the open that attaches a file makes one more.
#include "tool/status_path.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/quote.h"
#include "erofs/erofs_reader.h"
#include "erofs/image_look.h"
#include "os/mount_table.h"
#include "tool/status.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// What the kernel says of the path itself.
struct Node {
	struct statx info {};
	std::string device;
};

Node look_at(const std::string &path)
{
	Node node;
	const UniqueFd fd(open(path.c_str(), O_PATH | O_CLOEXEC));

	if (!fd.valid())
		throw_errno(quote_name(path) +
			    ": expected a directory or a file, on a mount to "
			    "tell about");
	if (statx(fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID,
		  &node.info) != 0)
		throw_errno("statx " + path);
	node.device = std::to_string(node.info.stx_dev_major) + ":" +
		      std::to_string(node.info.stx_dev_minor);
	return node;
}

bool is_below(const std::string &path, const std::string &directory)
{
	return directory == "/" || path == directory ||
	       path.starts_with(directory + "/");
}

/// The mount that @path is in: by its number, or, where the table is another
/// one's, by the longest target that @path begins with.
MountLine mount_of(const std::string &path, const Node &node,
		   const std::string &root)
{
	const auto table = read_mount_table(root + "/proc/self/mountinfo");
	const auto found = std::find_if(
		table.begin(), table.end(), [&](const MountLine &line) {
			return line.id == node.info.stx_mnt_id &&
			       line.device == node.device;
		});
	std::array<char, PATH_MAX> resolved{};
	MountLine best;

	if (found != table.end())
		return *found;
	if (realpath(path.c_str(), resolved.data()) == nullptr)
		throw_errno("realpath " + path);
	for (const MountLine &line : table)
		if (is_below(resolved.data(), line.target) &&
		    line.target.size() >= best.target.size())
			best = line;
	return best;
}

UniqueFd open_image(const std::string &source)
{
	struct stat info {};
	UniqueFd image(open(source.c_str(),
			    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));

	if (image.valid() && fstat(image.get(), &info) == 0 &&
	    (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode)))
		return image;
	return {};
}

std::string name_of(const MountStatus &mount)
{
	if (!mount.targets.empty())
		return mount.targets.front();
	return mount.source.empty() ? mount.device : mount.source;
}

/// The way to an answer. Each step that has one ends it.
class Question {
      public:
	Question(const std::string &path, const std::string &root)
	    : root_(root), node_(look_at(path)),
	      line_(mount_of(path, node_, root))
	{
		answer_.path = path;
		answer_.is_file = !S_ISDIR(node_.info.stx_mode);
		answer_.source = line_.source;
		answer_.target = line_.target;
	}

	PathStatus ask()
	{
		if (!ask_mount() && answer_.is_file)
			ask_file();
		return answer_;
	}

      private:
	/// Ends with @sharing.
	bool say(Sharing sharing, const std::string &detail = "")
	{
		answer_.sharing = sharing;
		answer_.detail = detail;
		return true;
	}

	/// Whether there is an answer without a look at the file.
	bool ask_mount()
	{
		const mode_t mode = node_.info.stx_mode;

		if (line_.type != "erofs")
			return say(Sharing::kNotErofs,
				   line_.type == "overlay"
					   ? "overlay: ask for the file in the "
					     "image that is a layer of it"
					   : line_.type);
		if (answer_.is_file && !S_ISREG(mode))
			return say(Sharing::kNotRegular);
		if ((node_.info.stx_attributes & STATX_ATTR_DAX) != 0)
			return say(Sharing::kDax);
		if (!line_.has_option("inode_share"))
			return say_no_option();
		return find_counters() || (!answer_.is_file && ask_directory());
	}

	bool say_no_option()
	{
		if (line_.has_option("dax") || line_.has_option("dax=always"))
			return say(Sharing::kDax);
		// It is not shown where an image has nothing to share.
		const auto seen = look_at_image(open_image(line_.source));

		if (seen && seen->declared == 0)
			return say(Sharing::kNoFingerprints);
		return say(Sharing::kNoOption,
			   advice_on(find_erofs_module(root_)));
	}

	/// Finds the counters of the mount and of the others.
	bool find_counters()
	{
		try {
			status_ = read_status(root_);
		} catch (const std::system_error &error) {
			if (error.code().value() != EACCES &&
			    error.code().value() != EPERM)
				throw;
			return say(Sharing::kUnknown,
				   "the mount has inode_share; with whom it "
				   "shares, only root may ask: try sudo");
		}
		const auto own = std::find_if(
			status_.mounts.begin(), status_.mounts.end(),
			[&](const MountStatus &mount) {
				return mount.number == line_.device;
			});
		if (own == status_.mounts.end())
			return say(Sharing::kUnknown,
				   "the mount has inode_share, but no "
				   "counters: " +
					   advice_on(status_.module));
		own_ = *own;
		answer_.domain = own_.domain;
		return false;
	}

	bool ask_directory()
	{
		for (const MountStatus &mount : status_.mounts) {
			if (mount.number == own_.number)
				continue;
			if (mount.domain == own_.domain)
				answer_.with.push_back(name_of(mount));
			else
				answer_.elsewhere++;
		}
		if (answer_.with.empty())
			return say(answer_.elsewhere > 0 ? Sharing::kOtherDomain
							 : Sharing::kAlone);
		if (own_.files == 0)
			return say(Sharing::kNeverOpened);
		return say(Sharing::kShares);
	}

	bool ask_file()
	{
		if (node_.info.stx_size == 0)
			return say(Sharing::kEmpty);
		const auto seen = look_for_inode(open_image(line_.source),
						 node_.info.stx_ino);
		if (!seen || (seen->found == 0 && seen->complete == 0))
			return say(Sharing::kUnknown,
				   "its image, " + line_.source +
					   ", cannot be read");
		if (seen->declared == 0)
			return say(Sharing::kNoFingerprints);
		if (seen->found == 0 || seen->size != node_.info.stx_size)
			return say(Sharing::kUnknown,
				   line_.source +
					   " is not the image that is mounted "
					   "any more");
		switch (static_cast<FingerprintState>(seen->state)) {
		case FingerprintState::kOne:
			return ask_others(*seen);
		case FingerprintState::kNone:
			return say(Sharing::kMissing);
		case FingerprintState::kAmbiguous:
			return say(Sharing::kAmbiguous);
		case FingerprintState::kUnusable:
			break;
		}
		return say(Sharing::kUnusable);
	}

	/// Who else has a file with the fingerprint and size of @file.
	bool ask_others(const FileLook &file)
	{
		for (const MountStatus &mount : status_.mounts) {
			if (mount.number == own_.number)
				continue;
			const bool same = mount.domain == own_.domain;
			const auto seen = look_for_contents(
				open_image(mount.source), file);

			if (!seen || (seen->found == 0 && seen->complete == 0))
				answer_.unread += same ? 1 : 0;
			else if (seen->found != 0 && same)
				answer_.with.push_back(name_of(mount));
			else if (seen->found != 0)
				answer_.elsewhere++;
		}
		const bool opened = was_opened();
		if (answer_.with.empty() && answer_.unread > 0)
			return say(Sharing::kUnknown,
				   "images of its domain cannot be read");
		if (answer_.with.empty())
			return say(answer_.elsewhere > 0 ? Sharing::kOtherDomain
							 : Sharing::kAlone);
		return say(opened ? Sharing::kShares : Sharing::kNeverOpened);
	}

	/// Whether the file was attached: opening it attaches no further one.
	[[nodiscard]] bool was_opened() const
	{
		const std::uint64_t before = attached_files(own_.device, root_);
		const UniqueFd file =
			open_file(answer_.path, O_RDONLY | O_NONBLOCK);

		return attached_files(own_.device, root_) == before;
	}

	std::string root_;
	Node node_;
	MountLine line_;
	Status status_;
	MountStatus own_;
	PathStatus answer_;
};

} // namespace

PathStatus read_path_status(const std::string &path, const std::string &root)
{
	return Question(path, root).ask();
}

} // namespace erofs_share
