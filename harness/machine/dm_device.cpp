// SPDX-License-Identifier: GPL-2.0-only
// Device mapper devices through libdevmapper: the targets linear, error, delay,
// and any other that a caller knows.
#include "machine/dm_device.h"

#include "base/error.h"
#include "base/fd.h"

#include <atomic>
#include <fcntl.h>
#include <iostream>
#include <libdevmapper.h>
#include <linux/fs.h>
#include <memory>
#include <sstream>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr unsigned int kSectorSize = 512;
/// For dm-delay, in milliseconds: longer than any test runs.
constexpr const char *kForever = "3600000";

/// One request to the device mapper about the device called @name.
class Task {
      public:
	Task(int type, const std::string &name)
	    : task_(dm_task_create(type), dm_task_destroy), name_(name)
	{
		check(task_ != nullptr, "create a task");
		check(dm_task_set_name(task_.get(), name.c_str()) != 0,
		      "name a task");
	}

	dm_task *get()
	{
		return task_.get();
	}

	/// Throws, naming @what, unless @good.
	void check(bool good, const std::string &what)
	{
		if (good)
			return;
		const int error = task_ ? dm_task_get_errno(task_.get()) : 0;

		throw_error(error != 0 ? error : ENODEV,
			    "device mapper: " + what + " " + name_);
	}

	void run(const std::string &what)
	{
		check(dm_task_run(task_.get()) != 0, what);
	}

      private:
	std::unique_ptr<dm_task, decltype(&dm_task_destroy)> task_;
	std::string name_;
};

/// Stops I/O on the device and starts it with the table loaded last.
void switch_tables(const std::string &name)
{
	Task suspend(DM_DEVICE_SUSPEND, name);

	// The file system on it is not to be frozen: it shall see the change.
	dm_task_skip_lockfs(suspend.get());
	suspend.run("suspend");
	Task(DM_DEVICE_RESUME, name).run("resume");
}

} // namespace

bool has_dm_target(const std::string &type)
{
	const std::unique_ptr<dm_task, decltype(&dm_task_destroy)> task(
		dm_task_create(DM_DEVICE_LIST_VERSIONS), dm_task_destroy);

	if (!task || dm_task_run(task.get()) == 0)
		return false;
	for (auto *at = dm_task_get_versions(task.get());;) {
		if (type == at->name)
			return true;
		if (at->next == 0)
			return false;
		at = reinterpret_cast<dm_versions *>(
			reinterpret_cast<char *>(at) + at->next);
	}
}

DmDevice::DmDevice(const std::string &lower)
    : DmDevice(lower, {"linear", lower + " 0", ""})
{
}

DmDevice::DmDevice(const std::string &lower, const DmTarget &target)
    : lower_(lower), is_changeable_(target.type != "verity")
{
	static std::atomic<int> number;
	const UniqueFd fd = open_file(lower, O_RDONLY);
	std::uint64_t bytes = 0;
	dm_info info{};

	if (ioctl(fd.get(), BLKGETSIZE64, &bytes) != 0)
		throw_errno("BLKGETSIZE64 " + lower);
	sectors_ = bytes / kSectorSize;
	name_ = "erofs-share-" + std::to_string(number++);

	// There is no udev here: the kernel alone makes the device's node.
	dm_udev_set_sync_support(0);
	Task create(DM_DEVICE_CREATE, name_);
	dm_task_set_add_node(create.get(), DM_ADD_NODE_ON_CREATE);
	create.check(dm_task_set_ro(create.get()) != 0, "make read-only");
	create.check(target.uuid.empty() ||
			     dm_task_set_uuid(create.get(),
					      target.uuid.c_str()) != 0,
		     "give a uuid to");
	create.check(dm_task_add_target(create.get(), 0, sectors_,
					target.type.c_str(),
					target.parameters.c_str()) != 0,
		     "add a target to");
	create.run("create");
	create.check(dm_task_get_info(create.get(), &info) != 0, "look at");
	path_ = "/dev/dm-" + std::to_string(info.minor);
}

DmDevice::~DmDevice()
{
	try {
		// Whoever still waits for a read can go on.
		if (is_changeable_)
			pass_reads();
		Task(DM_DEVICE_REMOVE, name_).run("remove");
	} catch (const std::exception &error) {
		std::cerr << error.what() << '\n';
	}
}

void DmDevice::load(const std::string &target, const std::string &parameters)
{
	Task reload(DM_DEVICE_RELOAD, name_);

	reload.check(dm_task_set_ro(reload.get()) != 0, "make read-only");
	reload.check(dm_task_add_target(reload.get(), 0, sectors_,
					target.c_str(),
					parameters.c_str()) != 0,
		     "add a target to");
	reload.run("load target " + target + " into");
	switch_tables(name_);
}

void DmDevice::pass_reads()
{
	load("linear", lower_ + " 0");
}

void DmDevice::fail_reads()
{
	load("error", "");
}

void DmDevice::hold_reads()
{
	load("delay", lower_ + " 0 " + kForever);
}

unsigned int DmDevice::reads_held() const
{
	Task status(DM_DEVICE_STATUS, name_);
	std::uint64_t start = 0;
	std::uint64_t length = 0;
	char *target = nullptr;
	char *parameters = nullptr;
	unsigned int reads = 0;

	status.run("look at");
	dm_get_next_target(status.get(), nullptr, &start, &length, &target,
			   &parameters);
	// dm-delay's status: reads held back, writes held back.
	if (target != nullptr && std::string_view(target) == "delay" &&
	    parameters != nullptr)
		std::istringstream(parameters) >> reads;
	return reads;
}

} // namespace erofs_share
