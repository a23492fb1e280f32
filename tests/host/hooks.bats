#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Hooks land where they say, and a build with one that does not stops.

load common

setup()
{
	kernel=$("$top/scripts/kernel/fetch-kernel" "$line")
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
		run --separate-stderr "$top/scripts/kernel/build-module" the-new-kernel "$out"
	[ "$status" -ne 0 ]
	[[ $stderr == *show-options* ]]
	[[ $stderr == *the-new-kernel* ]]
	[ ! -e "$out/erofs.ko" ]
}

@test "a hook that matches nothing is not silent" {
	mkdir "$BATS_TEST_TMPDIR/hooks"
	printf '// Lands: super.c never_called +1\n@@ @@\n- erofs_no_such_call();\n+ never_called();\n' \
		>"$BATS_TEST_TMPDIR/hooks/matches-nothing.cocci"
	run --separate-stderr "$top/scripts/kernel/apply-hooks" "$src/fs/erofs" "$BATS_TEST_TMPDIR/hooks" the-kernel
	[ "$status" -ne 0 ]
	one_line matches-nothing
	one_line the-kernel
}

@test "a hook that lands twice where it says once is refused" {
	mkdir "$BATS_TEST_TMPDIR/hooks"
	printf '// Lands: super.c kvfree_twice +1\n@@ expression e; @@\n- kfree(e);\n+ kvfree_twice(e);\n' \
		>"$BATS_TEST_TMPDIR/hooks/lands-twice.cocci"
	run --separate-stderr "$top/scripts/kernel/apply-hooks" "$src/fs/erofs" "$BATS_TEST_TMPDIR/hooks" the-kernel
	[ "$status" -ne 0 ]
	one_line lands-twice
}

# A hook that changes one call in super.c, with the given "Lands:" lines.
hook_landing()
{
	mkdir "$BATS_TEST_TMPDIR/hooks"
	{
		printf '// Lands: %s\n' "$@"
		printf '@@ @@\n erofs_module_init(...) {\n <...\n- erofs_check_ondisk_layout_definitions();\n+ checked_by_us();\n ...>\n }\n'
	} >"$BATS_TEST_TMPDIR/hooks/conditional.cocci"
	run --separate-stderr "$top/scripts/kernel/apply-hooks" "$src/fs/erofs" "$BATS_TEST_TMPDIR/hooks" the-kernel
}

@test "a hook lands where a condition of its holds" {
	hook_landing 'super.c checked_by_us +2 if super.c has no_such_text_anywhere' \
		'super.c checked_by_us +1 if super.c lacks no_such_text_anywhere and super.c has erofs_module_init' \
		'nofile.c checked_by_us +1 if nofile.c has anything'
	[ "$status" -eq 0 ]
	grep -q checked_by_us "$src/fs/erofs/super.c"
}

@test "a hook that lands although no condition of its holds is refused" {
	hook_landing 'super.c checked_by_us +1 if super.c has no_such_text_anywhere' \
		'super.c erofs_check_ondisk_layout_definitions -1'
	[ "$status" -ne 0 ]
	one_line "conditional did not land"
	one_line "+0 'checked_by_us'"
}

@test "a hook whose condition holds and that does not land is refused" {
	hook_landing 'super.c never_called +1 if super.c has erofs_module_init'
	[ "$status" -ne 0 ]
	one_line "+1 'never_called'"
}

@test "a file that the kernel lacks is named when the hook needs it" {
	hook_landing 'nofile.c checked_by_us +1 if super.c has erofs_module_init'
	[ "$status" -ne 0 ]
	one_line nofile.c
}

@test "a condition that says neither has nor lacks is refused" {
	hook_landing 'super.c checked_by_us +1 if super.c contains text'
	[ "$status" -ne 0 ]
	one_line "FILE has TEXT"
}
