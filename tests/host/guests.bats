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
