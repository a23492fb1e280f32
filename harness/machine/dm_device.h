// SPDX-License-Identifier: GPL-2.0-only
// Device mapper devices that fail or hold back reads when a test says so.
#pragma once

#include <cstdint>
#include <string>

namespace erofs_share {

/// What a device does with reads.
struct DmTarget {
	std::string type;	///< such as "verity"
	std::string parameters; ///< as the kernel wants them
	std::string uuid;	///< of the device; "" for none
};

/// Whether the running kernel has the target @type.
bool has_dm_target(const std::string &type);

/// A block device in front of another one, removed when it goes out of scope.
/// It lets reads through until it is told otherwise. Every change applies to
/// reads from then on, and ends those that are held back.
class DmDevice {
      public:
	/// Puts a new device in front of the block device at @lower, whole and
	/// read-only. Throws, for example when the kernel has no device mapper.
	explicit DmDevice(const std::string &lower);
	/// The same, with reads that go to @target, whose parameters name
	/// @lower, until they are told otherwise; of "verity", they never are.
	DmDevice(const std::string &lower, const DmTarget &target);
	DmDevice(const DmDevice &) = delete;
	DmDevice &operator=(const DmDevice &) = delete;
	DmDevice(DmDevice &&) = delete;
	DmDevice &operator=(DmDevice &&) = delete;
	/// Lets through what is held back, then removes the device.
	~DmDevice();

	/// Path of the block device.
	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

	/// Serves reads from the lower device.
	void pass_reads();
	/// Fails reads with EIO.
	void fail_reads();
	/// Holds reads back until the next change; they then go to the lower
	/// device, whatever the change was to.
	void hold_reads();

	/// Reads that are held back right now.
	[[nodiscard]] unsigned int reads_held() const;

      private:
	void load(const std::string &target, const std::string &parameters);

	std::string lower_;
	std::string name_;
	std::string path_;
	std::uint64_t sectors_ = 0;
	/// Whether the kernel lets another target take the place of this one.
	bool is_changeable_ = true;
};

/// Holds back the reads of a device while it is in scope.
class HeldReads {
      public:
	explicit HeldReads(DmDevice &device) : device_(device)
	{
		device_.hold_reads();
	}
	HeldReads(const HeldReads &) = delete;
	HeldReads &operator=(const HeldReads &) = delete;
	HeldReads(HeldReads &&) = delete;
	HeldReads &operator=(HeldReads &&) = delete;
	~HeldReads()
	{
		release();
	}

	/// Lets the reads go on now.
	void release()
	{
		if (held_)
			device_.pass_reads();
		held_ = false;
	}

      private:
	DmDevice &device_;
	bool held_ = true;
};

} // namespace erofs_share
