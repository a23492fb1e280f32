// SPDX-License-Identifier: GPL-2.0-only
// Mount, read, unmount, many times.
#include "stress/soak.h"

#include "base/error.h"
#include "machine/kernel_module.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace erofs_share {

namespace {

/// One of each layout that takes a path of its own; all are small.
constexpr std::array<const char *, 10> kImages = {
	"enc-plain",	 "enc-lz4",   "4k-chunk4k",	"4k-blob",
	"enc-fragments", "512-plain", "no-fingerprint", "enc-zstd",
	"4k-dedupe",	 "enc-chunk"};
constexpr std::uint64_t kFilesACycle = 2;
constexpr std::uint64_t kMostBytes = 70000;

class Soak {
      public:
	Soak(const ImageStore &store, SoakPlan plan) : plan_(std::move(plan))
	{
		for (const char *name : kImages) {
			const Image &image = store.find(name);

			if (try_mount_image(image, Via::kDisk).first)
				images_.push_back(&image);
		}
		if (images_.empty())
			throw_error(ENODEV, "an image that can be mounted");
		if (try_mount_image(*images_[0], Via::kFile).first)
			for (const Image *image : images_)
				if (!fails_in_last_page(*image))
					as_files_.insert(image);
		sharing_ = try_mount_image(
				   *images_[0], Via::kDisk,
				   MountOptions::sharing(DomainId::random()))
				   .first.has_value();
	}

	SoakResult run(const std::function<void(const SoakReading &)> &tell)
	{
		read_memory(tell);
		go_on_to(plan_.cycles, tell);
		const auto suspects = grown_since_the_middle();
		if (!suspects.empty()) {
			const SoakReading before = result_.readings.back();

			go_on_to(plan_.cycles + plan_.cycles / 2, tell);
			judge(suspects, before);
		}
		return std::move(result_);
	}

      private:
	void fail(const std::string &text)
	{
		result_.failures.push_back("cycle " + std::to_string(cycle_) +
					   ": " + text);
	}

	[[nodiscard]] const Image &image(std::uint64_t step) const
	{
		return *images_[step % images_.size()];
	}

	/// Until the end of cycle @last, or a failure.
	void go_on_to(std::uint64_t last,
		      const std::function<void(const SoakReading &)> &tell)
	{
		while (cycle_ < last && result_.failures.empty()) {
			cycle_++;
			one_cycle();
			if (cycle_ % plan_.batch == 0)
				read_memory(tell);
		}
	}

	/// How @image is mounted when it is the first of a cycle.
	[[nodiscard]] Via via(const Image &image, std::uint64_t turn) const
	{
		constexpr std::array<Via, 3> kVias = {Via::kDisk, Via::kLoop,
						      Via::kFile};
		const Via wanted = kVias[turn % kVias.size()];

		return wanted == Via::kFile && as_files_.count(&image) == 0
			       ? Via::kDisk
			       : wanted;
	}

	/// A different combination each time, all of them in turn.
	void one_cycle()
	{
		const std::uint64_t turn = cycle_ / images_.size();
		const std::uint64_t mode = turn % 4;
		MountOptions options;

		if (sharing_ && mode != 3)
			options = MountOptions::sharing(DomainId::random());
		if (mode == 2)
			fail_to_mount(image(cycle_), options);
		Mount first = mount_image(image(cycle_),
					  via(image(cycle_), turn), options);
		std::optional<Mount> second;
		if (mode != 0)
			second = mount_image(image(cycle_ + 1), Via::kLoop,
					     options);
		read_some(first, image(cycle_));
		if (second)
			read_some(*second, image(cycle_ + 1));
		if (turn % 2 == 0)
			first.unmount();
		if (second)
			second->unmount();
		if (turn % 2 != 0)
			first.unmount();
	}

	void fail_to_mount(const Image &image, MountOptions options)
	{
		options.extra.emplace_back("no-such-option");
		if (try_mount_image(image, Via::kDisk, options).first)
			fail("mounted with an unknown option");
	}

	void read_some(const Mount &mount, const Image &image)
	{
		const auto &files = image.tree->files;

		for (std::uint64_t i = 0; i < kFilesACycle; i++) {
			const FileSpec &file =
				files[(cycle_ * kFilesACycle + i * 7) %
				      files.size()];
			const std::string wrong = difference(
				mount.at(file.path), file, 0, kMostBytes);

			if (!wrong.empty())
				fail(image.name + ": " + wrong);
			result_.files++;
		}
	}

	/// Unloads the module; superblocks may still be on their way out.
	void unload()
	{
		int error = 0;

		for (int tries = 0; tries < 50; tries++) {
			error = unload_module("erofs");
			if (error == 0)
				return;
			std::this_thread::sleep_for(
				std::chrono::milliseconds(100));
		}
		fail("cannot unload erofs.ko with nothing mounted: " +
		     std::generic_category().message(error));
	}

	void read_memory(const std::function<void(const SoakReading &)> &tell)
	{
		SoakReading reading;

		reading.cycle = cycle_;
		reading.left_objects = settled_kernel_memory().erofs_objects();
		if (reading.left_objects != 0)
			fail(std::to_string(reading.left_objects) +
			     " objects left in erofs' caches");
		unload();
		const int error = load_module(plan_.module);
		if (error != 0)
			fail("cannot load erofs.ko again: " +
			     std::generic_category().message(error));
		reading.memory = settled_kernel_memory();
		tell(reading);
		result_.readings.push_back(std::move(reading));
	}

	/// Pages come and go in steps, and a leak grows all the time: what the
	/// last reading has is compared with the most that the first half had.
	[[nodiscard]] std::map<std::string, std::string>
	grown_since_the_middle() const
	{
		const auto &readings = result_.readings;

		if (readings.size() < 3 || !result_.failures.empty())
			return {};
		const std::size_t middle = (readings.size() - 1) / 2;
		KernelMemory before = readings[middle].memory;
		for (std::size_t i = 1; i < middle; i++)
			before.used =
				std::max(before.used, readings[i].memory.used);
		return leaks(before, readings.back().memory,
			     readings.back().cycle - readings[middle].cycle);
	}

	/// A leak goes on growing as it did, the unrest of a busy system does
	/// not: fails for those @suspects that have grown again since @before.
	void judge(const std::map<std::string, std::string> &suspects,
		   const SoakReading &before)
	{
		const SoakReading &last = result_.readings.back();

		for (const auto &[what, again] :
		     leaks(before.memory, last.memory,
			   last.cycle - before.cycle)) {
			const auto first = suspects.find(what);

			if (first != suspects.end())
				fail(first->second + "; then " + again);
		}
	}

	SoakPlan plan_;
	std::vector<const Image *> images_;
	std::set<const Image *> as_files_; ///< those that are mounted so, too
	bool sharing_ = false;
	std::uint64_t cycle_ = 0;
	SoakResult result_;
};

} // namespace

SoakResult soak(const ImageStore &store, const SoakPlan &plan,
		const std::function<void(const SoakReading &)> &tell)
{
	return Soak(store, plan).run(tell);
}

} // namespace erofs_share
