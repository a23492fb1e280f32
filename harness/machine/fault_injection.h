// SPDX-License-Identifier: GPL-2.0-only
// The kernel's fault injection: allocations and block requests that fail
// because a test says so, one by one, until there is none left to fail.
//
// The kernel counts by task: /proc/PID/task/TID/fail-nth says how many of the
// task's next allocations or requests succeed before one fails. See
// Documentation/fault-injection/fault-injection.rst of the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace erofs_share {

/// Values of files in /sys and the like, put back as they were at the end.
class Settings {
      public:
	Settings() = default;
	Settings(const Settings &) = delete;
	Settings &operator=(const Settings &) = delete;
	Settings(Settings &&) = delete;
	Settings &operator=(Settings &&) = delete;
	~Settings();

	/// Writes @value to @file. Throws.
	void set(const std::string &file, const std::string &value);

      private:
	std::vector<std::pair<std::string, std::string>> before_;
};

/// What is made to fail.
enum class FaultKind {
	kMemory, ///< allocations of slab objects and of pages
	kBlock,	 ///< requests to the devices that FailingDisk names
};

/// Addresses of the kernel's code, from @from up to but not including @to.
struct CodeRange {
	std::uint64_t from = 0;
	std::uint64_t to = UINT64_MAX;

	/// All of the kernel.
	static CodeRange all()
	{
		return {};
	}
	/// The loaded module @name. Throws when it is not loaded.
	static CodeRange of_module(const std::string &name);
	/// One function of module @module. Throws when there is none.
	static CodeRange of_function(const std::string &module,
				     const std::string &function);
};

/// Which faults can be injected while this is in scope; there can be one at a
/// time. It injects none itself.
class FaultInjection {
      public:
	/// Why this kernel cannot inject faults; "" when it can.
	static const std::string &unavailable();

	/// Only those count that happen on behalf of @code, that is with it on
	/// the stack. Throws.
	explicit FaultInjection(FaultKind kind,
				const CodeRange &code = CodeRange::all());

      private:
	Settings settings_;
};

/// Whose faults are counted.
enum class FaultTask {
	kCaller,  ///< those of the operation itself
	kWorkers, ///< those of all workers of the kernel's work queues
};

/// One operation in which the n-th allocation or request fails.
class NthFault {
      public:
	/// Fails the @n-th, counted from 1.
	NthFault(unsigned int n, FaultTask whose) : n_(n), whose_(whose)
	{
	}

	/// Runs @operation, in a thread of its own, with the fault armed.
	/// Returns the errno that it returned or threw (std::system_error); 0
	/// for success. Throws when the kernel cannot do that. Can be called
	/// once.
	int during(const std::function<int()> &operation);

	/// Whether the operation came to the n-th, which failed.
	[[nodiscard]] bool injected() const
	{
		return injected_;
	}

      private:
	int run_armed(const std::function<int()> &operation);

	unsigned int n_;
	FaultTask whose_;
	bool injected_ = false;
};

/// What became of an operation whose allocations or requests failed one by one.
struct FaultTally {
	unsigned int injected = 0;
	/// Of the operations with a fault: how often each errno came back, 0
	/// for those that succeeded in spite of it.
	std::map<int, unsigned int> outcomes;
	/// The errno of an operation that failed although nothing was made to
	/// fail; 0 when there was none.
	int unprovoked = 0;

	/// Operations that succeeded in spite of a fault.
	[[nodiscard]] unsigned int survived() const;
	/// Operations that came back with an error.
	[[nodiscard]] unsigned int errors() const;
	FaultTally &operator+=(const FaultTally &other);
	/// For a person: "12 faults: 10 succeeded, 2 Cannot allocate memory".
	[[nodiscard]] std::string text() const;
};

/// Runs @attempt with a fault in the first allocation or request, then in the
/// second, and so on until nothing is left to fail. An attempt gets everything
/// ready, runs the operation by NthFault::during(), checks what it left behind,
/// and returns its errno. Throws if there is no end.
FaultTally fail_each(const std::function<int(NthFault &)> &attempt,
		     FaultTask whose = FaultTask::kCaller);

/// A block device whose requests can be made to fail while this is in scope.
class FailingDisk {
      public:
	/// The device at @path, such as /dev/vda. Throws.
	explicit FailingDisk(const std::string &path);

      private:
	Settings settings_;
};

/// Fails requests to all FailingDisks, whoever makes them, while in scope.
/// Needs FaultInjection(FaultKind::kBlock).
class BrokenDisks {
      public:
	/// Lets @bytes be read, then fails everything. Throws.
	explicit BrokenDisks(std::uint64_t bytes);

	/// Requests that failed so far.
	[[nodiscard]] unsigned int failed() const;

      private:
	Settings settings_;
};

} // namespace erofs_share
