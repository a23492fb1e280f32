// SPDX-License-Identifier: GPL-2.0-only
// Fault injection through debugfs, sysfs and /proc.
#include "machine/fault_injection.h"

#include "base/error.h"
#include "base/fd.h"

#include <algorithm>
#include <array>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

const std::string kDebug = "/sys/kernel/debug/";
/// Where one operation without end would be given up.
constexpr unsigned int kMostFaults = 5000;
/// Operations without a fault that end a series: the number of allocations
/// differs a little from one operation to the next.
constexpr unsigned int kQuiet = 2;
/// How many failures BrokenDisks asks for: more than can be.
constexpr unsigned int kForever = 1000000000;

std::string hexadecimal(std::uint64_t number)
{
	std::ostringstream text;

	text << "0x" << std::hex << number;
	return text.str();
}

/// One line of /proc/kallsyms.
struct Symbol {
	std::uint64_t address = 0;
	char type = 0;
	std::string name;
	std::string module; ///< "" for the kernel itself
};

/// Functions whose names or modules @wanted takes, by address.
std::vector<Symbol> functions(const std::function<bool(const Symbol &)> &wanted)
{
	std::istringstream lines(read_text("/proc/kallsyms"));
	std::vector<Symbol> found;

	for (std::string line; std::getline(lines, line);) {
		std::istringstream words(line);
		Symbol symbol;

		words >> std::hex >> symbol.address >> symbol.type >>
			symbol.name >> symbol.module;
		if ((symbol.type == 't' || symbol.type == 'T') &&
		    wanted(symbol))
			found.push_back(std::move(symbol));
	}
	std::sort(found.begin(), found.end(),
		  [](const Symbol &a, const Symbol &b) {
			  return a.address < b.address;
		  });
	return found;
}

/// Functions of the module called @name, by address. Throws when it has none.
const std::vector<Symbol> &module_functions(const std::string &name)
{
	// Reading all symbols takes seconds; a module that was loaded again is
	// somewhere else.
	static std::map<std::string, std::vector<Symbol>> known;
	const std::string key =
		name + read_text("/sys/module/" + name + "/sections/.text");
	std::vector<Symbol> &all = known[key];

	if (all.empty())
		all = functions([mark = "[" + name + "]"](const Symbol &each) {
			return each.module == mark;
		});
	if (all.empty())
		throw_error(ENOENT,
			    "functions of " + name + " in /proc/kallsyms");
	return all;
}

/// The code with which kmemleak keeps its own books: each allocation makes it
/// allocate as well, which is nobody's business here, and it can go without for
/// a limited number of times only. Nothing when it is not in this kernel.
std::optional<CodeRange> bookkeeping()
{
	// The compiler may have merged the first ones into the last. No other
	// file has functions of these names.
	static constexpr std::array<std::string_view, 3> kNames = {
		"mem_pool_alloc", "__create_object", "kmemleak_alloc"};
	constexpr std::uint64_t kLength = 0x400;
	static const std::vector<Symbol> kFound =
		functions([](const Symbol &symbol) {
			return symbol.module.empty() &&
			       std::find(kNames.begin(), kNames.end(),
					 symbol.name) != kNames.end();
		});

	for (const std::string_view name : kNames)
		for (const Symbol &symbol : kFound)
			if (symbol.name == name)
				return CodeRange{symbol.address,
						 symbol.address + kLength};
	return std::nullopt;
}

/// How many allocations and requests of tasks are left until one fails.
class FaultCounters {
      public:
	/// Those of the tasks of @whose. Throws.
	explicit FaultCounters(FaultTask whose);

	/// Sets all to @n; 0 for no fault.
	void set(unsigned int n) const;
	/// Whether one of those that were set came down to its fault.
	[[nodiscard]] bool any_used_up() const;

      private:
	std::vector<UniqueFd> files_;
};

FaultCounters::FaultCounters(FaultTask whose)
{
	if (whose == FaultTask::kCaller) {
		files_.push_back(
			open_file("/proc/thread-self/fail-nth", O_RDWR));
		return;
	}
	for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
		const std::string directory = entry.path().string();
		if (access((directory + "/fail-nth").c_str(), W_OK) != 0)
			continue;
		if (!read_text(directory + "/comm").starts_with("kworker/"))
			continue;
		files_.push_back(open_file(directory + "/fail-nth", O_RDWR));
	}
}

void FaultCounters::set(unsigned int n) const
{
	const std::string text = std::to_string(n);

	for (const UniqueFd &file : files_)
		if (pwrite(file.get(), text.data(), text.size(), 0) < 0 &&
		    errno != ESRCH)
			throw_errno("write fail-nth");
}

bool FaultCounters::any_used_up() const
{
	std::array<char, 16> text{};
	bool used = false;

	for (const UniqueFd &file : files_) {
		const ssize_t got =
			pread(file.get(), text.data(), text.size(), 0);

		if (got < 0 && errno != ESRCH)
			throw_errno("read fail-nth");
		used |= got > 0 && text.front() == '0';
	}
	return used;
}

} // namespace

Settings::~Settings()
{
	std::reverse(before_.begin(), before_.end());
	for (const auto &[file, value] : before_) {
		try {
			write_text(file, value);
		} catch (const std::system_error &) {
			// A device that is gone has no settings to put back.
			continue;
		}
	}
}

void Settings::set(const std::string &file, const std::string &value)
{
	before_.emplace_back(file, read_text(file));
	write_text(file, value);
}

CodeRange CodeRange::of_module(const std::string &name)
{
	constexpr std::uint64_t kPage = 4096;
	const std::vector<Symbol> &all = module_functions(name);

	// No other module's code begins on the page where this one's ends.
	return {all.front().address,
		(all.back().address + kPage) / kPage * kPage};
}

CodeRange CodeRange::of_function(const std::string &module,
				 const std::string &function)
{
	const std::vector<Symbol> &all = module_functions(module);
	const auto found =
		std::find_if(all.begin(), all.end(), [&](const Symbol &each) {
			return each.name == function;
		});

	if (found == all.end())
		throw_error(ENOENT, function + " in /proc/kallsyms");
	const auto next =
		std::find_if(found, all.end(), [&](const Symbol &each) {
			return each.address > found->address;
		});
	return {found->address,
		next == all.end() ? of_module(module).to : next->address};
}

const std::string &FaultInjection::unavailable()
{
	static const std::string kReason = [] {
		for (const std::string &file :
		     {kDebug + "failslab/ignore-gfp-wait",
		      kDebug + "failslab/require-start",
		      kDebug + "fail_page_alloc/min-order",
		      kDebug + "fail_make_request/probability",
		      std::string("/proc/thread-self/fail-nth")})
			if (access(file.c_str(), W_OK) != 0)
				return "this kernel cannot inject faults (no " +
				       file + "); KERNEL=6.12-debug can";
		return std::string();
	}();

	return kReason;
}

FaultInjection::FaultInjection(FaultKind kind, const CodeRange &code)
{
	const bool memory = kind == FaultKind::kMemory;
	const std::optional<CodeRange> not_counted = bookkeeping();

	for (const char *name :
	     {"failslab/", "fail_page_alloc/", "fail_make_request/"}) {
		const std::string attribute = kDebug + name;

		settings_.set(attribute + "verbose", "0");
		settings_.set(attribute + "require-start",
			      hexadecimal(code.from));
		settings_.set(attribute + "require-end", hexadecimal(code.to));
		if (!not_counted)
			continue;
		settings_.set(attribute + "reject-start",
			      hexadecimal(not_counted->from));
		settings_.set(attribute + "reject-end",
			      hexadecimal(not_counted->to));
	}
	// Allocations that may wait are those that a file system makes. A cache
	// has to be marked to fail under the filter, and none is; no allocation
	// is of order 32.
	settings_.set(kDebug + "failslab/ignore-gfp-wait", "N");
	settings_.set(kDebug + "failslab/cache-filter", memory ? "N" : "Y");
	settings_.set(kDebug + "fail_page_alloc/ignore-gfp-wait", "N");
	settings_.set(kDebug + "fail_page_alloc/ignore-gfp-highmem", "N");
	settings_.set(kDebug + "fail_page_alloc/min-order",
		      memory ? "0" : "32");
}

int NthFault::during(const std::function<int()> &operation)
{
	int error = 0;
	std::exception_ptr unknown;

	// In a thread of its own: kmemleak takes what an old call left on a
	// stack for a reference, and this stack goes.
	std::thread([&] {
		try {
			error = run_armed(operation);
		} catch (...) {
			unknown = std::current_exception();
		}
	}).join();
	if (unknown)
		std::rethrow_exception(unknown);
	return error;
}

int NthFault::run_armed(const std::function<int()> &operation)
{
	const FaultCounters counters(whose_);
	int error = 0;

	counters.set(n_);
	try {
		error = operation();
	} catch (const std::system_error &failure) {
		error = failure.code().value();
	} catch (...) {
		counters.set(0);
		throw;
	}
	injected_ = counters.any_used_up();
	counters.set(0);
	return error;
}

unsigned int FaultTally::survived() const
{
	const auto found = outcomes.find(0);

	return found == outcomes.end() ? 0 : found->second;
}

unsigned int FaultTally::errors() const
{
	unsigned int all = 0;

	for (const auto &[error, times] : outcomes)
		all += error != 0 ? times : 0;
	return all;
}

FaultTally &FaultTally::operator+=(const FaultTally &other)
{
	injected += other.injected;
	for (const auto &[error, times] : other.outcomes)
		outcomes[error] += times;
	if (unprovoked == 0)
		unprovoked = other.unprovoked;
	return *this;
}

std::string FaultTally::text() const
{
	std::string all = std::to_string(injected) + " faults";
	const char *separator = ": ";

	for (const auto &[error, times] : outcomes) {
		all += separator + std::to_string(times) + " " +
		       (error == 0 ? "succeeded"
				   : std::generic_category().message(error));
		separator = ", ";
	}
	return all;
}

FaultTally fail_each(const std::function<int(NthFault &)> &attempt,
		     FaultTask whose)
{
	FaultTally tally;
	unsigned int quiet = 0;

	for (unsigned int n = 1; quiet < kQuiet; n++) {
		if (n > kMostFaults)
			throw_error(E2BIG, "fail the " + std::to_string(n) +
						   "th of an operation");
		NthFault fault(n, whose);
		const int error = attempt(fault);

		if (fault.injected()) {
			quiet = 0;
			tally.injected++;
			tally.outcomes[error]++;
		} else {
			quiet++;
			if (error != 0)
				tally.unprovoked = error;
		}
	}
	return tally;
}

FailingDisk::FailingDisk(const std::string &path)
{
	const std::string name =
		std::filesystem::path(path).filename().string();

	settings_.set("/sys/block/" + name + "/make-it-fail", "1");
}

BrokenDisks::BrokenDisks(std::uint64_t bytes)
{
	const std::string attribute = kDebug + "fail_make_request/";

	settings_.set(attribute + "times", std::to_string(kForever));
	settings_.set(attribute + "interval", "1");
	settings_.set(attribute + "space", std::to_string(bytes));
	settings_.set(attribute + "probability", "100");
}

unsigned int BrokenDisks::failed() const
{
	return kForever - static_cast<unsigned int>(std::stoul(read_text(
				  kDebug + "fail_make_request/times")));
}

} // namespace erofs_share
