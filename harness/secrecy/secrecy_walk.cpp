// SPDX-License-Identifier: GPL-2.0-only
// The walk from point to point: mounts that work, and what is done with them.
// The mounts that do not are in rejected_mounts.cpp.
#include "secrecy/secrecy_walk.h"

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mapped_file.h"
#include "content/images.h"
#include "machine/clear_page.h"
#include "machine/kernel_module.h"
#include "machine/page_cache.h"
#include "secrecy/rejected_mounts.h"
#include "wire/record.h"
#include "wire/virtio_port.h"

#include <fcntl.h>
#include <filesystem>
#include <list>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace erofs_share {

namespace {

constexpr const char *kRoot = "/mnt/trace";
constexpr const char *kDuring = "during";
constexpr const char *kAfter = "after";

/// What one record tells, apart from the time.
struct Point {
	std::string name;
	std::string way;
	const char *expect = kExpectNothing;
	const char *id = kOwnId;
};

/// A file that is open, and mapped, as long as this lives.
struct OpenFile {
	UniqueFd fd;
	MappedFile mapping;

	explicit OpenFile(const std::string &path)
	    : fd(open_file(path, O_RDONLY)), mapping(path, MAP_SHARED)
	{
		read_through(path);
	}
};

class Walk {
      public:
	Walk(DomainId own, DomainId outside)
	    : own_(std::move(own)), outside_(std::move(outside)),
	      go_(open_port(kGoPort, O_RDONLY))
	{
		std::filesystem::create_directories(kRoot);
	}

	/// Waits while the host searches.
	void stop_at(const Point &point, const char *when, int error = 0,
		     const std::string &surprise = "") const
	{
		char byte = 0;

		records_.send(
			{{"event", "point"},
			 {"point", point.name},
			 {"way", point.way},
			 {"when", when},
			 {"expect", point.expect},
			 {"id", point.id},
			 {"outcome",
			  error == 0 ? "done"
				     : std::generic_category().message(error)},
			 {"surprise", surprise}});
		if (read(go_.get(), &byte, 1) != 1)
			throw_errno(std::string("read ") + kGoPort);
	}

	/// Does @request in a process of its own and has memory searched while
	/// it lives and when it has ended. Returns the kernel's errno.
	int perform(const Point &point, const MountWay &way,
		    const MountRequest &request, bool works) const
	{
		const DomainId &id =
			point.id == std::string_view(kOwnId) ? own_ : outside_;
		// Asked before: a look at a file afterwards would write its
		// name over what the mount may have left.
		const bool ours = module_out_of_tree("erofs");
		const auto surprise = [&](int error) -> std::string {
			if (!ours || (error == 0) == works)
				return "";
			return works ? "it should succeed" : "it should fail";
		};
		Child child([&] {
			const int error = way.mount(request, id);

			stop_at(point, kDuring, error, surprise(error));
			return error;
		});
		const int error = child.wait();

		stop_at(point, kAfter, error, surprise(error));
		return error;
	}

	void control() const
	{
		const Point point{
			.name = "CONTROL: a program and a file hold it",
			.way = "",
			.expect = kExpectEveryForm};
		Child child([&] {
			hold_and_wait(point);
			return 0;
		});
		const int status = child.wait();

		if (status != 0)
			throw std::runtime_error("the control failed");
		stop_at({.name = "the control wiped it", .way = ""}, kAfter);
	}

	void all(const MountWay &way) const
	{
		const std::string a = directory("a");
		const std::string b = directory("b");

		mount_pair(way, a, b);
		read_pair(way, a, b);
		remounts(way, a);
		unmount(a);
		stop_at({"one of two unmounted", way.name}, kAfter);
		unmount(b);
		stop_at({"both unmounted", way.name}, kAfter);
		trials(way, false);
		if (unload_module("erofs") != 0)
			throw std::runtime_error("erofs cannot be unloaded");
		stop_at({"erofs unloaded", way.name}, kAfter);
		if (load_module("/modules/erofs.ko") != 0)
			throw std::runtime_error("erofs cannot be loaded");
	}

	/// Those mounts of rejected_mounts.cpp that are, or are not, out of
	/// reach.
	void trials(const MountWay &way, bool outside) const
	{
		const std::string taken = directory("taken");
		const Mount other =
			mount_erofs(disk_called("enc-plain"),
				    MountOptions::sharing(DomainId::random()));

		for (const Trial &trial :
		     all_trials({.good = disk_called("many-plain"),
		     .without_fingerprints = disk_called("no-fingerprint"),
		     .not_erofs = disk_called("not-erofs"),
		     .mounted = disk_called("enc-plain"),
		     .mount_point = other.path(),
		     .target = taken})) {
			if (!trial.applies_to(way.name) ||
			    !way.can(trial.request) ||
			    trial.out_of_reach(way.name) != outside)
				continue;
			const Point point{.name = trial.name,
					  .way = way.name,
					  .expect = outside ? kOutOfReach
							    : kExpectNothing,
					  .id = outside ? kOutsideId : kOwnId};
			const int error =
				trial.in_another_user
					? perform_as_nobody(point, way, trial)
					: perform(point, way, trial.request,
						  trial.works);
			if (error == 0 && trial.request.target == taken &&
			    trial.request.flags == 0)
				umount2(taken.c_str(), 0);
		}
	}

      private:
	static std::string directory(const std::string &name)
	{
		std::string path = std::string(kRoot) + "/" + name;

		if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
			throw_errno("mkdir " + path);
		return path;
	}
	static void unmount(const std::string &target)
	{
		if (umount2(target.c_str(), 0) != 0)
			throw_errno("umount " + target);
	}

	/// The child of control(): holds the id in all forms until the host has
	/// searched, then wipes all.
	void hold_and_wait(const Point &point) const
	{
		const UniqueFd file(memfd_create("control", MFD_CLOEXEC));
		ClearPage plain;
		ClearPage other;
		const std::string nothing(own_.size(), '\0');

		plain.add(own_);
		const char *text = plain.c_str();
		for (std::size_t i = own_.size(); i > 0; i--)
			other.add(text[i - 1]);
		other.add('|');
		for (std::size_t i = 0; i < own_.size(); i++) {
			other.add(text[i]);
			other.add('\0');
		}
		other.add('|');
		for (std::size_t i = 0; i < own_.size(); i++) {
			other.add('\0');
			other.add(text[i]);
		}
		other.add('|');
		if (pwrite(file.get(), text, own_.size(), 0) !=
		    static_cast<ssize_t>(own_.size()))
			throw_errno("write to a memfd");
		stop_at(point, kDuring);
		if (pwrite(file.get(), nothing.data(), nothing.size(), 0) !=
		    static_cast<ssize_t>(nothing.size()))
			throw_errno("write to a memfd");
	}

	int perform_as_nobody(const Point &point, const MountWay &way,
			      const Trial &trial) const
	{
		constexpr uid_t kNobody = 65534;
		const MountWay as_nobody{way.name, way.mount, way.can};

		if (seteuid(kNobody) != 0)
			throw_errno("seteuid");
		const int error =
			perform(point, as_nobody, trial.request, trial.works);
		if (seteuid(0) != 0)
			throw_errno("seteuid");
		return error;
	}

	void mount_pair(const MountWay &way, const std::string &a,
			const std::string &b) const
	{
		const Point point{"two images mounted", way.name};

		for (const auto &[image, target] :
		     {std::pair{"many-plain", a}, std::pair{"many-lz4", b}})
			if (perform(point, way,
				    sharing_request(disk_called(image), target),
				    true) != 0)
				throw std::runtime_error(
					std::string("cannot mount ") + image +
					" by " + way.name);
	}

	void read_pair(const MountWay &way, const std::string &a,
		       const std::string &b) const
	{
		namespace fs = std::filesystem;
		std::list<OpenFile> files;

		for (const std::string &root : {a, b})
			for (const auto &entry :
			     fs::recursive_directory_iterator(root))
				if (entry.is_regular_file())
					files.emplace_back(
						entry.path().string());
		stop_at({std::to_string(files.size()) +
				 " files open, mapped and read",
			 way.name},
			kDuring);
	}

	void remounts(const MountWay &way, const std::string &target) const
	{
		MountRequest same = sharing_request("", target);

		same.remount = true;
		perform({"remount naming the same domain", way.name}, way, same,
			true);
		const Mount other =
			mount_erofs(disk_called("enc-plain"),
				    MountOptions::sharing(DomainId::random()));
		MountRequest another = same;
		another.target = other.path();
		perform({"remount of another domain's mount", way.name}, way,
			another, false);
		MountRequest none = same;
		none.options = {{.key = "noacl"}};
		perform({"remount naming no domain", way.name}, way, none,
			true);
	}

	DomainId own_;
	DomainId outside_;
	RecordWriter records_;
	UniqueFd go_;
};

} // namespace

void leave_no_trace(const DomainId &own, const DomainId &outside)
{
	const Walk walk(own, outside);

	walk.stop_at({.name = "before", .way = ""}, kAfter);
	walk.control();
	for (const MountWay &way : mount_ways())
		walk.all(way);
	for (const MountWay &way : mount_ways())
		walk.trials(way, true);
}

} // namespace erofs_share
