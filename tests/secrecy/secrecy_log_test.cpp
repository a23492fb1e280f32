// SPDX-License-Identifier: GPL-2.0-only
// The domain id is in nothing that the kernel can be made to log: debug
// messages, traces with function arguments, audit records.
#include "base/child.h"
#include "base/fd.h"
#include "base/proc.h"
#include "support/audit_log.h"
#include "support/secrecy_fixture.h"

#include <filesystem>
#include <fstream>
#include <list>

namespace erofs_share {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr const char *kTracing = "/sys/kernel/tracing/";

/// A file of /proc or /sys that has another text while this lives.
class Setting {
      public:
	/// Writes @text; when this goes, @undo, or what was there before.
	Setting(std::string path, const std::string &text,
		std::optional<std::string> undo = {})
	    : path_(std::move(path)), undo_(undo ? *undo : read_text(path_))
	{
		write_text(path_, text);
	}
	Setting(const Setting &) = delete;
	Setting &operator=(const Setting &) = delete;
	Setting(Setting &&) = delete;
	Setting &operator=(Setting &&) = delete;
	~Setting()
	{
		std::ofstream(path_) << undo_;
	}

      private:
	std::string path_;
	std::string undo_;
};

bool exists(const std::string &path)
{
	return std::filesystem::exists(path);
}

TEST_F(Secrecy, KernelLogShowsNoDomainIdAtAnyLevelWithDynamicDebug)
{
	const std::string control = "/proc/dynamic_debug/control";
	const Setting level("/proc/sys/kernel/printk", "8 4 1 7");
	std::optional<Setting> module;
	std::optional<Setting> vfs;
	KernelLog log;

	if (exists(control)) {
		module.emplace(control, "module erofs +p", "module erofs -p");
		vfs.emplace(control, "file fs/* +p", "file fs/* -p");
	}
	use_domain_id();
	const std::vector<std::string> lines = log.read_new();
	EXPECT_THAT(lines, Contains(HasSubstr("erofs")));
	for (const std::string &line : lines)
		EXPECT_FALSE(reveals(line)) << line;
}

class SecrecyTrace : public Secrecy {
      protected:
	void SetUp() override
	{
		Secrecy::SetUp();
		if (!IsSkipped() && !exists(at("trace")))
			GTEST_SKIP() << "this kernel has no tracefs";
	}
	static std::string at(const std::string &name)
	{
		return kTracing + name;
	}
	/// Uses the domain id with what is traced now. Returns the trace.
	[[nodiscard]] std::string trace() const
	{
		write_text(at("trace"), " ");
		use_domain_id();
		// Or reading the trace would make it longer.
		const Setting off(at("tracing_on"), "0", "1");

		return read_text(at("trace"));
	}
	/// Traces calls of erofs' functions, and of those that hand the options
	/// to it, with @tracer, and with their arguments where the kernel knows
	/// @arguments.
	void expect_calls_hide_it(const std::string &tracer,
				  const std::string &arguments)
	{
		if (read_text(at("available_tracers")).find(tracer + " ") ==
		    std::string::npos)
			GTEST_SKIP() << "this kernel has no tracer " << tracer;
		const Setting filter(at("set_ftrace_filter"), ":mod:erofs", "");
		std::optional<Setting> with_arguments;

		std::ofstream(at("set_ftrace_filter"), std::ios::app)
			<< "vfs_parse_fs_*\n*fs_context*\npath_mount\n";
		const Setting current(at("current_tracer"), tracer, "nop");
		if (exists(at("options/" + arguments)))
			with_arguments.emplace(at("options/" + arguments), "1");
		const std::string text = trace();

		EXPECT_THAT(text, HasSubstr("erofs_fc_get_tree"));
		EXPECT_THAT(text, HasSubstr("vfs_parse_fs_param"));
		EXPECT_FALSE(reveals(text));
	}
};

TEST_F(SecrecyTrace, EventsOfErofsAndOfSystemCallsShowNoDomainId)
{
	const Setting erofs(at("events/erofs/enable"), "1", "0");
	std::list<Setting> calls;

	for (const std::string call :
	     {"mount", "fsopen", "fspick", "fsconfig", "fsmount", "move_mount"})
		for (const std::string side : {"enter", "exit"}) {
			std::string event = at("events/syscalls/sys_");

			event += side;
			event += "_" + call + "/enable";
			if (exists(event))
				calls.emplace_back(event, "1", "0");
		}
	const std::string text = trace();

	EXPECT_THAT(text, HasSubstr("erofs_"));
	if (!calls.empty()) {
		EXPECT_THAT(text, HasSubstr("sys_fsconfig"));
	}
	EXPECT_FALSE(reveals(text));
}

TEST_F(SecrecyTrace, FunctionsAndTheirArgumentsShowNoDomainId)
{
	expect_calls_hide_it("function", "func-args");
}

TEST_F(SecrecyTrace, CallGraphsAndTheirArgumentsShowNoDomainId)
{
	expect_calls_hide_it("function_graph", "funcgraph-args");
}

TEST_F(Secrecy, AuditRecordsOfMountCallsShowNoDomainId)
{
	const std::string reason = AuditLog::unavailable();

	if (!reason.empty())
		GTEST_SKIP() << reason;
	AuditLog log;

	// Only what was forked with auditing on is audited.
	EXPECT_EQ(run_in_child([&] {
			  use_domain_id();
			  return std::string();
		  }),
		  "");
	const std::vector<std::string> records = log.read_all();
	EXPECT_THAT(records, Contains(HasSubstr("syscall=165"))); // mount
	EXPECT_THAT(records, Contains(HasSubstr("syscall=431"))); // fsconfig
	for (const std::string &record : records)
		EXPECT_FALSE(reveals(record)) << record;
}

} // namespace
} // namespace erofs_share
