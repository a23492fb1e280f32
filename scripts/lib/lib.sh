# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What every script here shares: messages, progress, steps with a log, and
# cache entries that are either whole or absent. Source it, do not run it:
#
#	set -euo pipefail
#	. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
#
# Everything it prints goes to standard error. Standard output belongs to the
# script's result (a path, a diff).

prog=${0##*/}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin	# depmod, losetup: not in every user's path

# note TEXT...: one line for the user.
note()
{
	printf '%s: %s\n' "$prog" "$*" >&2
}

# die TEXT...: one line that says what is wrong and what to do; ends the script.
die()
{
	note "$@"
	exit 1
}

# --- things to undo when the script ends, however it ends --------------------

_cleanups=()

_run_cleanups()
{
	local i

	for ((i = ${#_cleanups[@]} - 1; i >= 0; i--)); do
		eval "${_cleanups[i]}" || true
	done
	_cleanups=()
}

# at_exit COMMAND ARG...: run COMMAND when the script ends, last one first.
at_exit()
{
	_cleanups+=("$(printf '%q ' "$@")")
	trap _run_cleanups EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}

# end_process PID: end one that this script started, if it still runs.
end_process()
{
	kill "$1" 2>/dev/null || true
}

# --- steps -------------------------------------------------------------------

# build_dir: make build/ (ignored by git) and print its path.
build_dir()
{
	if ! { mkdir -p "$top/build" && echo '*' >"$top/build/.gitignore"; } 2>/dev/null; then
		die "cannot write to $top/build: free some space or check its permissions"
	fi
	echo "$top/build"
}

# The log of this run of this script; made by the first step.
_log=

_open_log()
{
	local dir

	[ -z "$_log" ] || return 0
	dir=$(build_dir) || exit 1
	_log=$dir/log/$prog.log
	if ! { mkdir -p "$dir/log" && : >"$_log"; } 2>/dev/null; then
		die "cannot write to $dir/log: free some space or check its permissions"
	fi
}

# begins TEXT: say that something begins which takes its time. Where standard error is
# a terminal, a line with the elapsed time says it.
begins()
{
	[ -t 2 ] || printf '%s ...\n' "$1" >&2
}

# await TEXT COUNT PID...: wait for processes of this script, and show how far they are:
# TEXT, the number that the function COUNT prints, and the seconds. Leaves their exit
# statuses in $statuses.
await()
{
	local text=$1 count=$2 start=$SECONDS pid rc
	shift 2

	begins "$text"
	statuses=()
	for pid; do
		while kill -0 "$pid" 2>/dev/null; do
			[ ! -t 2 ] || printf '\r%-48s%8d %4d s ' "$text" "$("$count")" \
				$((SECONDS - start)) >&2
			sleep 1
		done
		rc=0
		wait "$pid" || rc=$?
		statuses+=("$rc")
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
	printf '%-48s%8d %4d s\n' "$text" "$("$count")" $((SECONDS - start)) >&2
}

# What stands on standard error while a step runs, once a second.
_tick()
{
	local start=$SECONDS

	while sleep 1; do
		printf '\r%-56s %4d s ' "$1" $((SECONDS - start)) >&2
	done
}

# step TEXT COMMAND ARG...: run COMMAND (a program or a shell function) with its
# output in the log, and show that it runs: on a terminal a line with the
# elapsed time, otherwise one line when it begins and one when it is done. V=1 shows
# the output itself. When COMMAND fails, say why in one line and end the script; so never
# call step in a condition.
step()
{
	local text=$1 start=$SECONDS ticker='' rc from
	shift

	_open_log
	from=$(($(wc -l <"$_log") + 1))
	printf '=== %s\n' "$text" >>"$_log"
	if [ "${V:-0}" = 1 ]; then
		note "$text"
		set +e
		(set -e; "$@") </dev/null 2>&1 | tee -a "$_log" >&2
		rc=${PIPESTATUS[0]}
		set -e
	else
		begins "$text"
		if [ -t 2 ]; then
			_tick "$text" &
			ticker=$!
		fi
		set +e
		(set -e; "$@") </dev/null >>"$_log" 2>&1
		rc=$?
		set -e
		if [ -n "$ticker" ]; then
			kill "$ticker" 2>/dev/null || true
			wait "$ticker" 2>/dev/null || true
			printf '\r\033[K' >&2
		fi
	fi
	[ "$rc" -eq 0 ] || _explain_failure "$text" "$from"
	printf '%-56s %4d s\n' "$text" $((SECONDS - start)) >&2
}

# _fullest DIR...: print the directory on the disk that has the least space left.
_fullest()
{
	local dir

	for dir; do
		[ ! -d "$dir" ] || printf '%s %s\n' "$(df --output=avail "$dir" | tail -n 1)" "$dir"
	done | sort -n | sed -nE '1s/^ *[0-9]+ //p'
}

# _explain_failure TEXT LINE: die with the reason found in the log from LINE on.
_explain_failure()
{
	local text=$1 said reason

	said=$(tail -n "+$2" "$_log")
	case $said in
	*'No space left on device'* | *'not enough free space'* | *'Disk quota exceeded'*)
		die "$text: no space left in $(_fullest "$(cache_dir)" "$top" "${TMPDIR:-/tmp}"): free some" \
		    "there, or set EROFS_SHARE_CACHE or TMPDIR to a directory elsewhere" ;;
	*'Hash Sum mismatch'* | *'unexpected size'* | *'is corrupted'*)
		die "$text: what the archive sent is damaged or cut short; nothing of it was kept." \
		    "Run it again, after 'make refresh' when it stays so" ;;
	*'GPG error'* | *'is not signed'* | *'NO_PUBKEY'* | *'not signed by'*)
		die "$text: the archive's lists are not signed by Debian's archive keyring; nothing of it was" \
		    "kept. Check apt's sources on this machine and update the package debian-archive-keyring" ;;
	*'does not have a Release file'* | *'Could not resolve'* | *'Could not connect'* | *'Failed to fetch'* | \
	*'Unable to connect'* | *'Connection failed'* | *'Connection timed out'*)
		die "$text: cannot reach the Debian archive; check the network, the proxy and" \
		    "apt's sources on this machine ('apt-get update' must work), then run it again" ;;
	esac
	# The first error of a compiler or of modpost is the cause; what follows it, and
	# make's "Error 2" in the end, say nothing more.
	reason=$(grep -m 1 -E '(:[0-9]+: (fatal )?error: |^ERROR: modpost: )' <<<"$said") ||
		reason=$(printf '%s\n' "$said" | grep -iE '(^E: |error|fatal|failed|cannot|not found)' | tail -n 1) || true
	[ -n "$reason" ] || reason=$(printf '%s\n' "$said" | tail -n 1)
	die "$text: failed: $reason (all of it: ${_log#"$top"/})"
}

# --- the cache ---------------------------------------------------------------

# cache_dir: print where downloads and what is built from them live.
cache_dir()
{
	echo "${EROFS_SHARE_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/erofs-inode-share}"
}

# cache_lock NAME: make the cache directory and hold the lock NAME in it until
# the script ends, so that two runs do not make the same entry at once.
cache_lock()
{
	local dir fd

	dir=$(cache_dir)
	case $dir in
	/*) ;;
	*) die "EROFS_SHARE_CACHE is '$dir': an absolute path is needed" ;;
	esac
	case $dir in
	*[[:space:]]*)
		die "the cache path '$dir' has white space in it, which make cannot handle;" \
		    "set EROFS_SHARE_CACHE to another directory" ;;
	esac
	if ! { mkdir -p "$dir/lock" && : >>"$dir/lock/$1"; } 2>/dev/null; then
		die "cannot write to the cache $dir: free some space, check its permissions," \
		    "or set EROFS_SHARE_CACHE to another directory"
	fi
	exec {fd}>>"$dir/lock/$1"
	if ! flock -n "$fd"; then
		note "another run is making $1; waiting for it"
		flock "$fd"
	fi
}

# cache_begin DEST: make an empty temporary sibling of the cache entry DEST and
# leave its path in $cache_tmp. It goes away when the script ends before
# cache_commit. The caller holds the entry's lock: what an earlier, killed run
# left beside DEST is removed.
cache_begin()
{
	if ! { mkdir -p "$(dirname "$1")" && rm -rf "$1".tmp.* &&
	       cache_tmp=$(mktemp -d "$1.tmp.XXXXXX"); } 2>/dev/null; then
		die "cannot write to the cache $(dirname "$1"): free some space, check its" \
		    "permissions, or set EROFS_SHARE_CACHE to another directory"
	fi
	chmod 755 "$cache_tmp"
	at_exit rm -rf "$cache_tmp"
}

# cache_commit DEST: the entry in $cache_tmp is whole; give it its name.
cache_commit()
{
	if ! { sync -f "$cache_tmp" && rm -rf "$1" && mv -T "$cache_tmp" "$1"; }; then
		die "cannot finish $1: free some space and run it again"
	fi
}

# cache_select LINK NAME: let the symbolic link LINK name its sibling NAME.
cache_select()
{
	if ! { ln -sfn "$2" "$1.tmp.$$" && mv -T "$1.tmp.$$" "$1"; }; then
		die "cannot write $1: free some space and run it again"
	fi
}

# need_space DIR MEGABYTES WHAT: stop before WHAT when DIR's disk is too full.
need_space()
{
	local free

	free=$(df --output=avail -m "$1" | tail -n 1)
	[ "$free" -ge "$2" ] ||
		die "$3 needs $2 MB in $1, which has ${free// /} MB free: free some space," \
		    "or set EROFS_SHARE_CACHE to a directory elsewhere"
}

# mark_this_boot FILE: note in FILE something that holds until this machine boots anew.
mark_this_boot()
{
	cat /proc/sys/kernel/random/boot_id >"$1"
}

# is_of_this_boot FILE: whether mark_this_boot made FILE since this machine booted. Not
# by cmp -s: it takes the size of a file of /proc, 0, as a difference.
is_of_this_boot()
{
	[ "$(cat "$1" 2>/dev/null)" = "$(</proc/sys/kernel/random/boot_id)" ]
}

# verdict REPORT: print a report whose last line is "total PASSED FAILED SKIPPED";
# fails when something failed, or when the report has no such line.
verdict()
{
	local word passed failed rest

	printf '%s\n' "$1"
	read -r word passed failed rest <<<"$(tail -n 1 <<<"$1")"
	[ "$word" = total ] && [ "$((passed + ${rest:-0}))" -gt 0 ] && [ "$failed" -eq 0 ]
}
