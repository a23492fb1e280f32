// SPDX-License-Identifier: GPL-2.0-only
// Users, limits, namespaces, Landlock and seccomp.
#include "base/confinement.h"

#include "base/confined_program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr rlim_t kMostDescriptors = 1040;

/// Nobody gets more than he had.
bool limit(__rlimit_resource what, rlim_t most)
{
	rlimit both{};

	if (getrlimit(what, &both) != 0)
		return false;
	both.rlim_max = std::min(both.rlim_max, most);
	both.rlim_cur = both.rlim_max;
	return setrlimit(what, &both) == 0;
}

/// No network, no semaphores, no host's name of others. An ordinary user needs
/// a user namespace for that, which many hosts do not give him.
bool leave_namespaces()
{
	const int own = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

	if (geteuid() == 0 && unshare(own | CLONE_NEWNS) == 0)
		return true;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS | own) == 0;
}

bool become_user(uid_t id)
{
	return setgroups(0, nullptr) == 0 && setresgid(id, id, id) == 0 &&
	       setresuid(id, id, id) == 0;
}

/// Also those that a new user namespace brought.
bool drop_capabilities()
{
	__user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	std::array<__user_cap_data_struct, 2> none{};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none.data()) == 0;
}

/// Of what Landlock's first version knows: all that changes anything.
constexpr std::uint64_t kWrites =
	LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
	LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
	LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
	LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t kReads = LANDLOCK_ACCESS_FS_EXECUTE |
				 LANDLOCK_ACCESS_FS_READ_FILE |
				 LANDLOCK_ACCESS_FS_READ_DIR;

bool allow(int rules, int file, std::uint64_t access)
{
	const landlock_path_beneath_attr beneath = {.allowed_access = access,
						    .parent_fd = file};

	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		       &beneath, 0) == 0;
}

/// Files: the program, its libraries, the image; nothing is written but to the
/// pipe in a directory.
bool close_files(const Permission &permission)
{
	static constexpr std::array kLibraries = {"/usr", "/lib", "/lib32",
						  "/lib64", "/etc/ld.so.cache"};
	const landlock_ruleset_attr all = {.handled_access_fs =
						   kWrites | kReads};
	const auto rules = static_cast<int>(
		syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0));

	if (rules < 0)
		return false;
	bool done = permission.program < 0 ||
		    allow(rules, permission.program,
			  LANDLOCK_ACCESS_FS_EXECUTE |
				  LANDLOCK_ACCESS_FS_READ_FILE);
	for (const char *path : kLibraries) {
		const int file = open(path, O_PATH | O_CLOEXEC);

		// A file takes no rule for directories.
		if (file >= 0 && !allow(rules, file, kReads))
			allow(rules, file, LANDLOCK_ACCESS_FS_READ_FILE);
		close(file);
	}
	for (const int file : permission.readable)
		done = allow(rules, file, LANDLOCK_ACCESS_FS_READ_FILE) && done;
	if (permission.writable >= 0)
		done = allow(rules, permission.writable,
			     LANDLOCK_ACCESS_FS_WRITE_FILE) &&
		       done;
	done = done && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return done;
}

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

/// What a program needs that reads files and computes.
constexpr std::array kCalls = {
	SYS_read,
	SYS_pread64,
	SYS_readv,
	SYS_preadv,
	SYS_write,
	SYS_writev,
	SYS_lseek,
	SYS_openat,
	SYS_close,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_fstatfs,
	SYS_faccessat,
	SYS_faccessat2,
	SYS_readlinkat,
	SYS_getcwd,
	SYS_fcntl,
	SYS_dup,
	SYS_dup3,
	SYS_mmap,
	SYS_mprotect,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_fadvise64,
	SYS_getrandom,
	SYS_futex,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_set_tid_address,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_prlimit64,
	SYS_sysinfo,
	SYS_sched_getaffinity,
	SYS_uname,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_clock_nanosleep,
	SYS_getpid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_execve,
	SYS_execveat,
	SYS_exit,
	SYS_exit_group,
#if defined(__x86_64__)
	SYS_open,
	SYS_stat,
	SYS_lstat,
	SYS_access,
	SYS_readlink,
	SYS_dup2,
	SYS_arch_prctl,
	SYS_time,
	SYS_getrlimit,
#endif
};

/// Whatever is not on the list fails, as in a kernel that does not have it.
bool close_calls()
{
	constexpr std::size_t kHead = 4;
	std::array<sock_filter, kHead + kCalls.size() + 2> code{};
	std::size_t at = 0;

	if (kArchitecture == 0)
		return false;
	code[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			      offsetof(seccomp_data, arch));
	code[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
	code[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[at++] =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
	for (std::size_t i = 0; i < kCalls.size(); i++)
		code[at++] = BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K,
			static_cast<std::uint32_t>(kCalls[i]),
			static_cast<std::uint8_t>(kCalls.size() - i), 0);
	code[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	code[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const sock_fprog filter = {.len = static_cast<unsigned short>(at),
				   .filter = code.data()};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

} // namespace

bool limit_process(const ProcessLimits &limits)
{
	return limit(RLIMIT_AS, limits.memory) &&
	       limit(RLIMIT_CPU, limits.seconds) &&
	       limit(RLIMIT_FSIZE, limits.file) && limit(RLIMIT_CORE, 0) &&
	       limit(RLIMIT_NOFILE, kMostDescriptors);
}

bool confine(const Permission &permission, Confinement &found)
{
	const bool root = geteuid() == 0;

	found.namespaces = leave_namespaces();
	if (!limit_process(permission.limits))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	// What Landlock is to allow may lie where that user cannot go.
	found.landlock = close_files(permission);
	if ((root && !become_user(permission.user)) || !drop_capabilities())
		return false;
	// Behind the change of user, which takes back the first and would fail
	// by the second.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    getppid() != permission.parent || !limit(RLIMIT_NPROC, 0))
		return false;
	found.seccomp = close_calls();
	return true;
}

} // namespace erofs_share
