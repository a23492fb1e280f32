# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tests of the build scripts share. Nothing here reaches a real host:
# an archive is either cut off or a directory on this machine.

bats_require_minimum_version 1.5.0
top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
line=${KERNEL:-6.12}

# The tests look at messages: they must be the short ones, and the archive that
# of the test.
export V=0
unset EROFS_SHARE_MIRROR KDIR KSRC MAKEFLAGS MFLAGS MAKELEVEL

no_archive=file:///nonexistent/archive

# The cache that the rest of the suite uses, with what is in it.
warm_cache()
{
	echo "${EROFS_SHARE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/erofs-inode-share}"
}

# A private, empty cache for one test.
cold_cache()
{
	echo "$BATS_TEST_TMPDIR/cache"
}

# one_line TEXT: fail unless standard error was exactly one line that has TEXT, beside
# those that say what begins ("... ...").
one_line()
{
	local lines=() each

	# shellcheck disable=SC2154 # set by bats' run --separate-stderr
	for each in "${stderr_lines[@]}"; do
		[[ $each == *' ...' ]] || lines+=("$each")
	done
	if [ "${#lines[@]}" -ne 1 ] || [[ ${lines[0]} != *"$1"* ]]; then
		printf 'expected one line with "%s", got:\n%s\n' "$1" "$stderr"
		return 1
	fi
}

# nothing_half_made DIR: fail when DIR has entries that a stopped run left.
nothing_half_made()
{
	local left

	[ -d "$1" ] || return 0
	left=$(find "$1" -name '*.tmp.*')
	[ -z "$left" ] || { printf 'left behind:\n%s\n' "$left"; return 1; }
}

# private_mounts COMMAND...: run COMMAND where its mounts end with it.
private_mounts()
{
	if [ "$(id -u)" -eq 0 ]; then
		unshare -m "$@"
	else
		unshare -rm "$@"
	fi
}

need_private_mounts()
{
	private_mounts mount -t tmpfs none /mnt 2>/dev/null ||
		skip "this machine lets us mount nothing, not even in a namespace of our own"
}
