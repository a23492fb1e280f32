#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# How scripts/guest/run-guest remembers what it learned of this machine.

load common

@test "a KVM that lost a guest is not tried again before this machine boots anew" {
	. "$top/scripts/lib/lib.sh"
	cd "$BATS_TEST_TMPDIR"
	run ! is_of_this_boot marked
	mark_this_boot marked
	is_of_this_boot marked
	# Another boot has another number.
	tr 0-9a-f 1-9a-f0 <marked >other
	run ! is_of_this_boot other
}

@test "make shell: commands may come through a pipe, and find the module, the images and the tools" {
	command -v busybox >/dev/null || skip "busybox is missing"
	printf '%s\n' 'grep -c ^erofs /proc/modules' 'ls -d /images/4k-plain' 'erofs-share status' exit |
		"$top/scripts/guest/shell" >"$BATS_TEST_TMPDIR/out"
	# The terminal shows the commands, too.
	for line in 1 /images/4k-plain 'No mount shares page cache (mount option inode_share).'; do
		tr -d '\r' <"$BATS_TEST_TMPDIR/out" | grep -qxF "$line" || { cat "$BATS_TEST_TMPDIR/out"; return 1; }
	done
}
