#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What counts as a complaint of a guest's kernel: harness/wire/complaints.txt, as
# scripts/guest/run-guest and as the harness read it. The lines are of real kernels.

load common

tool=$top/build/harness/erofs-share-lab

fail()
{
	printf '%s\n' "$1"
	return 1
}

# by_script LINE, by_harness LINE: whether LINE is a complaint.
by_script()
{
	grep -qE "$(grep -vE '^(#|$)' "$top/harness/wire/complaints.txt" | paste -sd '|')" <<<"$1"
}

by_harness()
{
	mkdir -p "$BATS_TEST_TMPDIR/run/guest-1"
	echo '{"event":"plan","tests":[]}' >"$BATS_TEST_TMPDIR/run/guest-1/records"
	printf '%s\n' "$1" >"$BATS_TEST_TMPDIR/run/guest-1/console.log"
	"$tool" report "$BATS_TEST_TMPDIR/run" | grep -q 'complained outside of any test'
}

@test "complaints: what a kernel that watches itself reports" {
	[ -x "$tool" ] || skip "scripts/build-harness has not built the tool"
	while IFS= read -r line; do
		by_script "$line" || fail "not seen by run-guest: $line"
		by_harness "$line" || fail "not seen by the harness: $line"
	done <<'LINES'
[    3.141592] BUG: kernel NULL pointer dereference, address: 0000000000000008
[    3.141592] BUG: KASAN: slab-use-after-free in erofs_share_open+0x12/0x340
[    3.141592] BUG: KCSAN: data-race in erofs_share_open / erofs_share_evict_inode
[    3.141592] BUG kmalloc-64 (Tainted: G    B     O      ): Poison overwritten
[    3.141592] BUG erofs_inode (Tainted: G           O      ): Objects remaining in erofs_inode on __kmem_cache_shutdown()
[    3.141592] BUG: sleeping function called from invalid context at include/linux/sched/mm.h:337
[    3.141592] BUG: scheduling while atomic: init/1/0x00000002
[    3.141592] BUG: MAX_LOCKDEP_CHAINS too low!
[    3.141592] BUG: Bad page state in process cat  pfn:01234
[    3.141592] BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 40s!
[    3.141592] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [init:1]
[    3.141592] WARNING: CPU: 1 PID: 77 at fs/dcache.c:329 dget_parent+0x1/0x2
[    3.141592] WARNING: possible circular locking dependency detected
[    3.141592] WARNING: suspicious RCU usage
[    3.141592] WARNING: inconsistent lock state
[    3.141592] UBSAN: array-index-out-of-bounds in fs/erofs/xattr.c:99:9
[    3.141592] ODEBUG: free active (active state 0) object: ffff888 object type: work_struct
[    3.141592] Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1]
[    3.141592] Oops: invalid opcode: 0000 [#1] PREEMPT SMP
[    3.141592] Kernel panic - not syncing: Fatal exception
[    3.141592] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[    3.141592] rcu: INFO: rcu_preempt self-detected stall on CPU
[    3.141592] INFO: task umount:123 blocked for more than 241 seconds.
unreferenced object 0xffff888104b5c000 (size 1024):
[    3.141592] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
[    3.141592] kmemleak: Cannot allocate a kmemleak_object structure
[    3.141592] VFS: Busy inodes after unmount of loop0 (erofs)
[    3.141592] turning off the locking correctness validator.
LINES
}

@test "complaints: what healthy kernels log is none" {
	[ -x "$tool" ] || skip "scripts/build-harness has not built the tool"
	while IFS= read -r line; do
		! by_script "$line" || fail "a complaint to run-guest: $line"
		! by_harness "$line" || fail "a complaint to the harness: $line"
	done <<'LINES'
[    0.000000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15679)
[    0.000000] kmemleak: Kernel memory leak detector disabled
[    0.000000] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
[    0.000000] DEBUG: running with CONFIG_DEBUG_LIST
[    3.141592] BUG: KCSAN: data-race in do_raw_spin_lock / vfs_open
[    3.141592] erofs (device loop0): bogus i_mode (0) @ nid 36
[    3.141592] FAULT_INJECTION: forcing a failure.
[    3.141592] Out of memory: Killed process 99 (reader) total-vm:12345kB
LINES
}
