#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing that tests is left out of the loops: each part of scripts/check is in
# tests/tiers, and each mutant still breaks something.

load common

# parts: print the parts that tests/tiers names.
parts()
{
	awk '!/^#/ && NF { print $2 }' "$top/tests/tiers" | sort
}

@test "tiers: the parts of scripts/check are those of tests/tiers, once each" {
	sed -n 's/^part_\([a-z-]*\)().*/\1/p' "$top/scripts/check" | sort >"$BATS_TEST_TMPDIR/functions"
	parts | diff -u "$BATS_TEST_TMPDIR/functions" -
	[ "$(parts | wc -l)" -gt 5 ]
}

@test "tiers: each part is in a loop that scripts/check knows" {
	run -1 awk '!/^#/ && NF && $1 !~ /^(check|all)$/ { print; found = 1 } END { exit !found }' "$top/tests/tiers"
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
