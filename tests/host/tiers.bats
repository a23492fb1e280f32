#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing that tests is left out of the loops: each part of scripts/check/check is in
# tests/tiers, each mutant still breaks something, and --changed leaves out no more
# than it should. And the lines that say what begins.

load common

# parts: print the parts that tests/tiers names.
parts()
{
	awk '!/^#/ && NF && $1 != "fast" { print $2 }' "$top/tests/tiers" | sort
}

@test "tiers: the parts of scripts/check/check are those of tests/tiers, once each" {
	sed -n 's/^part_\([a-z-]*\)().*/\1/p' "$top/scripts/check/check" | sort >"$BATS_TEST_TMPDIR/functions"
	parts | diff -u "$BATS_TEST_TMPDIR/functions" -
	[ "$(parts | wc -l)" -gt 5 ]
}

@test "tiers: each part is in a loop that scripts/check/check knows" {
	run -1 awk '!/^#/ && NF && $1 !~ /^(quick|check|all|fast)$/ { print; found = 1 } END { exit !found }' "$top/tests/tiers"
}

@test "tiers: each fast suite has tests" {
	[ -x "$top/build/harness/erofs-share-tests" ] || skip "scripts/build-harness has not built the tests"
	awk '$1 == "fast" { print $2 }' "$top/tests/tiers" | while read -r suite; do
		"$top/build/harness/erofs-share-tests" --gtest_list_tests --gtest_filter="$suite" | grep -q '^  ' ||
			echo "$suite"
	done >"$BATS_TEST_TMPDIR/empty"
	diff /dev/null "$BATS_TEST_TMPDIR/empty"
	grep -q '^fast' "$top/tests/tiers"
}

@test "a pattern also means the variants of a suite, and a whole filter nothing else" {
	[ -x "$top/build/harness/erofs-share-tests" ] || skip "scripts/build-harness has not built the tests"
	. "$top/scripts/lib/suite-lib.sh"
	"$top/build/harness/erofs-share-tests" --gtest_list_tests --gtest_filter="$(with_variants 'Remount*')" | grep -q '^Through/Remount'
	[ "$(with_variants 'Sharing.*-Sharing.A')" = 'Sharing.*-Sharing.A' ]
	[ "$(with_variants '*')" = '*' ]
}

# mutants_of_one: a tree in $BATS_TEST_TMPDIR with one mutant, whose module is neither
# built nor loaded; its test has always failed.
mutants_of_one()
{
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"/{scripts/{check,guest,kernel,lib},tests/mutants,kmod}
	cp "$top/scripts/check/mutants" "$tree/scripts/check"
	cp "$top/scripts/lib/lib.sh" "$tree/scripts/lib"
	cp "$top"/kmod/*.[ch] "$tree/kmod"
	cp -r "$top"/tests/{sharing,support} "$tree/tests"
	cp "$top/tests/mutants/only-attribute-any.cocci" "$tree/tests/mutants"
	cat >"$tree/scripts/kernel/build-module" <<-'END'
		#!/bin/bash
		mkdir -p "$4/mutants"
		: >"$4/mutants/only-attribute-any.ko"
		echo fingerprint.c >"$4/mutants/only-attribute-any.files"
	END
	cat >"$tree/scripts/guest/run-modules" <<-'END'
		#!/bin/bash
		mkdir -p "$2/only-attribute-any/guest-1"
		printf '%s\n' '{"event":"plan","tests":["A.B"]}' '{"event":"finish","test":"A.B","outcome":"failed","text":"","seconds":0,"properties":{}}' >"$2/only-attribute-any/guest-1/records"
	END
	echo "echo $top/build/harness" >"$tree/scripts/build-harness"
	chmod +x "$tree"/scripts/{build-harness,guest/run-modules,kernel/build-module}
}

# tried OPTION N: fail unless mutants OPTION tries N modules, and all are noticed.
tried()
{
	run -0 "$tree/scripts/check/mutants" "$1"
	[ "${lines[-1]}" = "total $2 0 0" ] || { echo "$1: $output"; return 1; }
}

@test "mutants --changed: what was noticed is left out until it, its file or its test changes" {
	[ -x "$top/build/harness/erofs-share-lab" ] || skip "scripts/build-harness has not built the tool"
	mutants_of_one
	tried --changed 1
	tried --left-out 0
	tried --changed 0
	tried --left-out 1
	echo '/* another file */' >>"$tree/kmod/domain.c"
	tried --changed 0
	echo '/* the file that it changes */' >>"$tree/kmod/fingerprint.c"
	tried --changed 1
	echo '// another test' >>"$tree/tests/sharing/copy_up_test.cpp"
	tried --changed 0
	grep -lE 'TEST(_F|_P)?\(Fingerprint,' "$tree"/tests/*/*.cpp | head -n 1 >"$BATS_TEST_TMPDIR/test"
	echo '// its test' >>"$(<"$BATS_TEST_TMPDIR/test")"
	tried --changed 1
	echo '// the mutant' >>"$tree/tests/mutants/only-attribute-any.cocci"
	tried --changed 1
	tried --changed 0
	tried --debug 0
}

@test "a step without a terminal says when it begins, and how long it took" {
	# shellcheck disable=SC2016 # for the inner shell
	run --separate-stderr bash -c '. "$1/scripts/lib/lib.sh"; top=$2; step "the long work" true' - "$top" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 0 ]
	[ "${stderr_lines[0]}" = 'the long work ...' ]
	[[ ${stderr_lines[1]} =~ ^the\ long\ work\ +0\ s$ ]]
}

@test "mutants: each changes a file of ours" {
	command -v spatch >/dev/null || skip "spatch is missing"
	cd "$BATS_TEST_TMPDIR"
	count=0
	for patch in "$top"/tests/mutants/*.cocci; do
		cp "$top"/kmod/*.[ch] .
		spatch --very-quiet --sp-file "$patch" --in-place ./*.[ch] >/dev/null
		changed=
		for file in *.[ch]; do
			cmp -s "$file" "$top/kmod/$file" || changed=1
		done
		[ -n "$changed" ] || {
			echo "$patch matches nothing in kmod/"
			return 1
		}
		count=$((count + 1))
	done
	[ "$count" -gt 30 ]
}
