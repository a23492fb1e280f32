#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Hooks land where they say, and a build with one that does not stops.

load common

setup()
{
	kernel=$("$top/scripts/fetch-kernel" "$line")
	src=$BATS_TEST_TMPDIR/src
	mkdir -p "$src/fs"
	cp -r "$kernel/source/fs/erofs" "$src/fs/erofs"
}

@test "make diff prints a diff and nothing else, under 150 changed lines" {
	run --separate-stderr make -s -C "$top" diff KERNEL="$line"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "diff "* ]]
	diff=$output
	run ! grep -vE '^(diff |@@|[-+ ]|\\|$)' <<<"$diff"
	changed=$(grep -cE '^(\+([^+]|$)|-([^-]|$))' <<<"$diff")
	echo "$changed changed lines"
	[ "$changed" -gt 10 ]
	[ "$changed" -lt 150 ]
}

@test "a source where a hook does not land stops the build, by name" {
	# What the kernel might do in a stable update.
	sed -i 's/erofs_show_options/erofs_show_mount_options/g' "$src/fs/erofs/super.c"
	out=$BATS_TEST_TMPDIR/out
	KDIR=$kernel/$(<"$kernel/kdir") KSRC=$src \
		run --separate-stderr "$top/scripts/build-module" the-new-kernel "$out"
	[ "$status" -ne 0 ]
	[[ $stderr == *show-options* ]]
	[[ $stderr == *the-new-kernel* ]]
	[ ! -e "$out/erofs.ko" ]
}

@test "a hook that matches nothing is not silent" {
	mkdir "$BATS_TEST_TMPDIR/hooks"
	printf '// Lands: super.c never_called +1\n@@ @@\n- erofs_no_such_call();\n+ never_called();\n' \
		>"$BATS_TEST_TMPDIR/hooks/matches-nothing.cocci"
	run --separate-stderr "$top/scripts/apply-hooks" "$src/fs/erofs" "$BATS_TEST_TMPDIR/hooks" the-kernel
	[ "$status" -ne 0 ]
	one_line matches-nothing
	one_line the-kernel
}

@test "a hook that lands twice where it says once is refused" {
	mkdir "$BATS_TEST_TMPDIR/hooks"
	printf '// Lands: super.c kvfree_twice +1\n@@ expression e; @@\n- kfree(e);\n+ kvfree_twice(e);\n' \
		>"$BATS_TEST_TMPDIR/hooks/lands-twice.cocci"
	run --separate-stderr "$top/scripts/apply-hooks" "$src/fs/erofs" "$BATS_TEST_TMPDIR/hooks" the-kernel
	[ "$status" -ne 0 ]
	one_line lands-twice
}
