#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The order of the folders: a file includes what its folder may, as harness/CMakeLists.txt
# says (folder NAME NEEDED...), and nothing of the laboratory gets into the product.

load common

# needed: print a line "FOLDER NEEDED" for each folder and each that it may include, all
# the way down.
needed()
{
	sed -nE 's/^folder\(([a-z]+)(.*)\)$/\1 \2/p' "$top/harness/CMakeLists.txt" | awk '
		{
			all[$1] = " "
			for (i = 2; i <= NF; i++)
				if ($i in all)
					all[$1] = all[$1] $i " " substr(all[$i], 2)
				else if ($i !~ /::/) {
					print "unknown", $i
				}
			n = split(all[$1], names, " ")
			for (i = 1; i <= n; i++)
				print $1, names[i]
		}' | sort -u
}

# included DIR: print "FOLDER INCLUDED FILE" for each include of a folder of harness/.
included()
{
	(cd "$1" && grep -roE --include='*.cpp' --include='*.h' '^#include "[a-z]+/' .) |
		sed -E 's,^\./([a-z]+)/([^:]*):#include "([a-z]+)/,\1 \3 \2,'
}

@test "folders: each is a library, after those that it needs" {
	run ! grep '^unknown' <(needed)
	diff <(cd "$top/harness" && printf '%s\n' */ | tr -d / | sort) \
		<(sed -nE 's/^folder\(([a-z]+).*/\1/p' "$top/harness/CMakeLists.txt" | sort)
}

@test "folders: no include runs against the order" {
	needed >"$BATS_TEST_TMPDIR/needed"
	included "$top/harness" | awk '$1 != $2' | while read -r folder other file; do
		grep -qx "$folder $other" "$BATS_TEST_TMPDIR/needed" || echo "$folder/$file includes $other/"
	done >"$BATS_TEST_TMPDIR/bad"
	[ "$(included "$top/harness" | wc -l)" -gt 300 ]
	diff /dev/null "$BATS_TEST_TMPDIR/bad"
}

@test "folders: each include names a file that is there" {
	(cd "$top/harness" && grep -rhoE --include='*.cpp' --include='*.h' '^#include "[^"]+"' . ../tests) |
		sed -E 's/.*"(.*)"/\1/' | sort -u | while read -r name; do
		[ -e "$top/harness/$name" ] || [ -e "$top/tests/$name" ] || [ "$name" = complaints.inc ] ||
			echo "$name"
	done >"$BATS_TEST_TMPDIR/bad"
	diff /dev/null "$BATS_TEST_TMPDIR/bad"
}
