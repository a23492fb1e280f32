// SPDX-License-Identifier: GPL-2.0-only
// Processes without root's rights.
#include "base/unprivileged.h"

#include "base/error.h"

#include <csignal>
#include <grp.h>
#include <random>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// Users that no system gives out, those of them that a container with 65536
/// users has (systemd's UIDS-GIDS), and the one that all have.
constexpr uid_t kFirst = 0x70000000;
constexpr uid_t kLast = 0x7ffffffe;
constexpr uid_t kFirstOfFew = 65520;
constexpr uid_t kLastOfFew = 65533;
constexpr uid_t kNobody = 65534;

/// Whether this user namespace has the user @id.
bool is_user(uid_t id)
{
	uid_t real = 0;
	uid_t effective = 0;
	uid_t saved = 0;

	if (getresuid(&real, &effective, &saved) != 0 ||
	    setresuid(real, id, saved) != 0)
		return false;
	if (setresuid(real, effective, saved) != 0)
		throw_errno("setresuid");
	return true;
}

} // namespace

Stranger make_stranger()
{
	std::random_device random;
	std::uniform_int_distribution<uid_t> any(kFirst, kLast);
	Stranger stranger = {.needed = geteuid() == 0, .id = any(random)};

	if (!stranger.needed)
		return stranger;
	if (!is_user(stranger.id))
		stranger.id = std::uniform_int_distribution<uid_t>(
			kFirstOfFew, kLastOfFew)(random);
	if (!is_user(stranger.id))
		stranger.id = kNobody;
	return stranger;
}

const Stranger &reading_stranger()
{
	static const Stranger one = make_stranger();

	return one;
}

bool become_stranger(const Stranger &stranger, pid_t parent)
{
	const rlimit none = {0, 0};

	if (stranger.needed &&
	    (setgroups(0, nullptr) != 0 ||
	     setresgid(stranger.id, stranger.id, stranger.id) != 0 ||
	     setresuid(stranger.id, stranger.id, stranger.id) != 0))
		return false;
	// A change of the user takes the signal back: so behind it.
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       setrlimit(RLIMIT_CORE, &none) == 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

} // namespace erofs_share
