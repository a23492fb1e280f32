#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What scripts/deps says about a machine that lacks packages.

load common

# as_nobody COMMAND...: run COMMAND as a user who may install nothing, on a
# machine whose package database is empty.
as_nobody()
{
	local run=()

	[ "$(id -u)" -ne 0 ] || run=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	env DPKG_ADMINDIR="$empty" HOME=/ "${run[@]}" "$@"
}

setup()
{
	sudo -n -u nobody true 2>/dev/null && [ "$(id -u)" -ne 0 ] &&
		skip "this user may use sudo, and deps would install"
	# Where that user can read it, wherever this clone lies.
	copy=$(mktemp -d /tmp/erofs-share-deps.XXXXXX)
	chmod 755 "$copy"
	mkdir -p "$copy/scripts/lib" "$copy/dpkg"
	cp "$top/scripts/deps" "$copy/scripts"
	cp "$top/scripts/lib/lib.sh" "$copy/scripts/lib"
	empty=$copy/dpkg
	: >"$empty/status"
}

teardown()
{
	rm -rf "${copy:?}"
}

@test "missing packages without the right to install: the exact command" {
	run --separate-stderr as_nobody "$copy/scripts/deps" module
	[ "$status" -ne 0 ]
	packages=$("$top/scripts/deps" --list module | paste -sd ' ')
	one_line "as root run: apt-get update && apt-get install -y --no-install-recommends $packages"
}

@test "nothing missing: not a word" {
	run --separate-stderr "$top/scripts/deps" module
	[ "$status" -eq 0 ]
	[ -z "$output$stderr" ]
}

@test "an unknown group: one line that lists the known ones" {
	run --separate-stderr "$top/scripts/deps" modul
	[ "$status" -ne 0 ]
	one_line "unknown group 'modul'; there are: module images product harness guest shell bench debug deb install-test check lint"
}

# elsewhere COMMAND...: run COMMAND on a machine that runs another system.
elsewhere()
{
	printf 'ID=other\nVERSION_CODENAME=plow\n' >"$copy/os-release"
	# shellcheck disable=SC2016 # for the inner shell
	private_mounts bash -c 'mount --bind "$0" /etc/os-release && exec "$@"' "$copy/os-release" "$@"
}

@test "another system: a module for a kernel that KDIR= names, with the programs that are there" {
	need_private_mounts
	run --separate-stderr elsewhere env KDIR=/usr/src/kernels/x "$copy/scripts/deps" module
	[ "$status" -eq 0 ]
	[ -z "$output$stderr" ]
	mkdir "$copy/bin"
	for program in bash dirname env gcc make sort tr; do
		ln -s "$(command -v $program)" "$copy/bin"
	done
	run --separate-stderr elsewhere env KDIR=/usr/src/kernels/x PATH="$copy/bin" "$copy/scripts/deps" module
	[ "$status" -ne 0 ]
	one_line "missing programs: spatch; install them"
}

@test "another system: all the rest needs Debian" {
	need_private_mounts
	run --separate-stderr elsewhere "$copy/scripts/deps" module
	[ "$status" -ne 0 ]
	one_line "this machine runs 'plow'; Debian 12 (bookworm) or 13 (trixie) is needed"
}
