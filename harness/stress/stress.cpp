// SPDX-License-Identifier: GPL-2.0-only
// The threads of a stress run, and what is checked between its rounds.
#include "stress/stress.h"

#include "base/error.h"
#include "machine/kernel_module.h"
#include "machine/kmemleak.h"
#include "stress/stress_actions.h"
#include "stress/stress_check.h"
#include "stress/stress_gate.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <iostream>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// No healthy image makes a page that cannot be read.
void on_bus_error(int /*signal*/)
{
	static constexpr char kText[] = "stress: SIGBUS in a mapped file\n";

	// Nothing else may be done with the result here.
	[[maybe_unused]] const ssize_t done =
		write(STDERR_FILENO, kText, sizeof(kText) - 1);
	_exit(128 + SIGBUS);
}

/// One thread.
struct Worker {
	StressActor actor;
	std::atomic<const char *> doing = "nothing";
	std::thread thread;

	Worker(StressWorld &world, std::uint64_t seed,
	       const std::string &module)
	    : actor(world, seed, module)
	{
	}
};

class Stress {
      public:
	Stress(const StressPlan &plan, const RecordWriter &records)
	    : plan_(plan), records_(records),
	      check_(world_, [this](const std::string &text) { fail(text); })
	{
		for (unsigned int i = 0; i < plan.threads; i++)
			workers_.emplace_back(world_, plan.seed * 1000 + i,
					      plan.module);
	}

	bool run()
	{
		send("stress");
		check_.begin();
		const auto end = Clock::now() + seconds(plan_.seconds);
		for (unsigned int i = 0; i < plan_.threads; i++)
			workers_[i].thread =
				std::thread([this, i] { work(i); });
		while (!failed() && Clock::now() < end)
			one_round(end);
		gate_.end();
		if (!hung_)
			for (Worker &worker : workers_)
				worker.thread.join();
		send("stress-end");
		// A thread that hangs cannot be ended.
		if (hung_)
			_exit(1);
		return !failed();
	}

      private:
	void fail(const std::string &text)
	{
		const std::scoped_lock lock(mutex_);

		std::cerr << "stress: " << text << '\n';
		failures_.push_back(text);
	}

	bool failed()
	{
		const std::scoped_lock lock(mutex_);

		return !failures_.empty();
	}

	void work(unsigned int number)
	{
		Worker &me = workers_[number];

		for (std::uint64_t done = 0; gate_.enter(); done++) {
			const StressAction &action = me.actor.choose();

			me.doing = action.name;
			try {
				me.actor.act(action);
			} catch (const std::exception &error) {
				fail("seed " + std::to_string(plan_.seed) +
				     ", thread " + std::to_string(number) +
				     ", action " + std::to_string(done) + " (" +
				     action.name + "): " + error.what());
			}
			me.doing = "nothing";
			gate_.leave();
		}
	}

	/// Lets the threads act for a while, then stops them and looks around.
	void one_round(Clock::time_point end)
	{
		const auto round_end =
			std::min(end, Clock::now() + seconds(plan_.round));

		gate_.open();
		// Mounts race with this, at the start of a round.
		std::this_thread::sleep_for(milliseconds(30));
		load();
		while (Clock::now() < round_end && !failed()) {
			std::this_thread::sleep_for(seconds(1));
			// The thread that unloaded it may have come too early.
			load();
			progress();
		}
		if (!gate_.shut(seconds(100))) {
			report_hang();
			return;
		}
		send("stress");
		for (Worker &worker : workers_)
			worker.actor.release_all();
		check_.look_around();
		world_.counts.add("rounds");
	}

	void load()
	{
		if (module_loaded("erofs"))
			return;
		const int error = load_module(plan_.module);

		if (error != 0 && error != EEXIST && error != EBUSY)
			fail("insmod erofs.ko: " +
			     std::generic_category().message(error));
	}

	void report_hang()
	{
		std::string text = "threads hang:";

		for (const Worker &worker : workers_)
			if (std::strcmp(worker.doing, "nothing") != 0)
				text += std::string(" ") + worker.doing.load();
		hung_ = true;
		fail(text);
		try {
			// All tasks that wait for a device or a lock.
			write_text("/proc/sys/kernel/printk", "8");
			write_text("/proc/sysrq-trigger", "w");
		} catch (const std::exception &) {
			return;
		}
	}

	void progress()
	{
		if (Clock::now() - told_ < seconds(10))
			return;
		told_ = Clock::now();
		send("stress");
	}

	void send(const std::string &event)
	{
		const std::scoped_lock lock(mutex_);
		const std::chrono::duration<double> spent =
			Clock::now() - start_;

		records_.send({{"event", event},
			       {"seed", plan_.seed},
			       {"threads", plan_.threads},
			       {"seconds", spent.count()},
			       {"mounted", world_.mounts().size()},
			       {"slab_before", check_.before().slab},
			       {"slab_after", check_.after().slab},
			       {"percpu_before", check_.before().percpu},
			       {"percpu_after", check_.after().percpu},
			       {"kmemleak", kmemleak_works()},
			       {"counts", world_.counts.all()},
			       {"failures", failures_}});
	}

	const StressPlan plan_;
	const RecordWriter &records_;
	const Clock::time_point start_ = Clock::now();
	Clock::time_point told_ = start_;
	StressWorld world_;
	StressGate gate_;
	StressCheck check_;
	std::deque<Worker> workers_;
	bool hung_ = false;
	std::mutex mutex_;
	std::vector<std::string> failures_;
};

} // namespace

bool run_stress(const StressPlan &plan, const RecordWriter &records)
{
	std::signal(SIGBUS, on_bus_error);
	return Stress(plan, records).run();
}

} // namespace erofs_share
