// SPDX-License-Identifier: GPL-2.0-only
// Threads that open files at the same time.
#include "bench/bench_threads.h"

#include "base/error.h"
#include "base/fd.h"
#include "bench/scale_images.h"
#include "machine/cpu_time.h"
#include "machine/mount.h"
#include "machine/page_cache.h"

#include <array>
#include <exception>
#include <fcntl.h>
#include <latch>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>
#include <unistd.h>
#include <vector>

namespace erofs_share {

namespace {

enum class Way { kFirst, kAgain, kSame };

constexpr std::array kWays = {Way::kFirst, Way::kAgain, Way::kSame};

const char *way_name(Way way)
{
	switch (way) {
	case Way::kFirst:
		return "first";
	case Way::kAgain:
		return "again";
	case Way::kSame:
		break;
	}
	return "same";
}

/// The paths that thread @number opens, in order.
std::vector<std::string> paths_of(const Mount &mount, const ThreadPlan &plan,
				  Way way, std::uint64_t number)
{
	std::vector<std::string> paths;

	if (way == Way::kSame)
		return {mount.at(scale_path(0))};
	for (std::uint64_t i = 0; i < plan.files; i++)
		paths.push_back(mount.at(scale_path(number * plan.files + i)));
	return paths;
}

/// Opens and closes with @threads threads at once: each file of the first way
/// once, in the others plan.opens times in all for each thread of the plan, so
/// that fewer threads have as much to do. Returns opens in a second.
double run_threads(const Mount &mount, const ThreadPlan &plan, Way way,
		   std::uint64_t threads)
{
	std::vector<std::vector<std::string>> paths;
	std::vector<std::thread> running;
	std::latch start(static_cast<std::ptrdiff_t>(threads) + 1);
	std::mutex lock;
	std::exception_ptr failure;
	const std::uint64_t each = plan.threads / threads;
	const std::uint64_t opens =
		way == Way::kFirst ? plan.files * each : plan.opens * each;

	for (std::uint64_t i = 0; i < threads; i++) {
		paths.emplace_back();
		for (std::uint64_t part = 0; part < each; part++) {
			auto some = paths_of(mount, plan, way, i * each + part);

			paths.back().insert(paths.back().end(), some.begin(),
					    some.end());
		}
	}
	running.reserve(threads);
	for (std::uint64_t i = 0; i < threads; i++)
		running.emplace_back([&, i] {
			start.arrive_and_wait();
			try {
				for (std::uint64_t n = 0; n < opens; n++)
					open_file(paths[i][n % paths[i].size()],
						  O_RDONLY);
			} catch (...) {
				const std::lock_guard guard(lock);

				failure = std::current_exception();
			}
		});
	start.arrive_and_wait();
	const Spent spent;
	for (std::thread &thread : running)
		thread.join();
	const auto nanoseconds = static_cast<double>(spent.elapsed());
	if (failure)
		std::rethrow_exception(failure);
	return static_cast<double>(opens * threads) * 1e9 / nanoseconds;
}

/// What the way needs before it: no inodes, or all of them.
void prepare(const Mount &mount, const std::string &image,
	     const ThreadPlan &plan, Way way)
{
	if (way != Way::kFirst) {
		run_threads(mount, plan, Way::kAgain, 1);
		return;
	}
	drop_caches(Drop::kAll);
	read_through(image);
}

/// The image "many", and a mount of it of either kind.
struct Mounts {
	Mount store = mount_image_store();
	std::string image = store.at("many.erofs");
	Mount plain = mount_erofs(image);
	Mount shared =
		mount_erofs(image, MountOptions::sharing(DomainId::random()));
};

constexpr const char *kLockStat = "/proc/lock_stat";

/// Contentions by lock since the statistics were cleared. Lines of the file are
/// "NAME: contentions-bounced contentions ...", behind lines of comment.
std::map<std::string, std::uint64_t> contentions()
{
	std::map<std::string, std::uint64_t> found;
	std::istringstream lines(read_text(kLockStat));

	for (std::string line; std::getline(lines, line);) {
		const std::size_t colon = line.rfind(": ");

		if (colon == std::string::npos ||
		    line.find("class name") != std::string::npos)
			continue;
		std::istringstream numbers(line.substr(colon + 1));
		std::uint64_t bounced = 0;
		std::uint64_t all = 0;
		if (!(numbers >> bounced >> all) || all == 0)
			continue;
		const std::size_t start = line.find_first_not_of(' ');
		found[line.substr(start, colon - start)] += all;
	}
	return found;
}

} // namespace

void measure_threads(const ThreadPlan &plan, const SendRecord &send)
{
	const Mounts mounts;

	for (const Way way : kWays)
		for (const std::uint64_t threads :
		     {plan.threads, std::uint64_t{1}}) {
			std::vector<double> plain;
			std::vector<double> shared;
			const auto once = [&](const Mount &mount,
					      std::vector<double> &rates) {
				prepare(mount, mounts.image, plan, way);
				rates.push_back(
					run_threads(mount, plan, way, threads));
			};

			for (std::uint64_t i = 0; i < plan.rounds; i++) {
				once(mounts.plain, plain);
				once(mounts.shared, shared);
			}
			send({{"event", "bench"},
			      {"name", "threads"},
			      {"way", way_name(way)},
			      {"threads", threads},
			      {"plain", plain},
			      {"shared", shared}});
		}
}

void measure_locks(const ThreadPlan &plan, const SendRecord &send)
{
	if (access(kLockStat, W_OK) != 0)
		throw_error(ENOTSUP, std::string(kLockStat) +
					     ": a kernel with CONFIG_LOCK_STAT "
					     "is needed");
	const Mounts mounts;

	for (const Way way : kWays) {
		const auto counted = [&](const Mount &mount) {
			prepare(mount, mounts.image, plan, way);
			write_text("/proc/sys/kernel/lock_stat", "1");
			write_text(kLockStat, "0");
			run_threads(mount, plan, way, plan.threads);
			write_text("/proc/sys/kernel/lock_stat", "0");
			return contentions();
		};
		const auto plain = counted(mounts.plain);
		const auto shared = counted(mounts.shared);

		send({{"event", "bench"},
		      {"name", "locks"},
		      {"way", way_name(way)},
		      {"opens",
		       plan.threads *
			       (way == Way::kFirst ? plan.files : plan.opens)},
		      {"plain", plain},
		      {"shared", shared}});
	}
}

} // namespace erofs_share
