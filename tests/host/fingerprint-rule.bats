#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# erofs-share check and estimate see a fingerprint where the kernel sees one: they
# judge the images that FingerprintRule reads in a guest, by the same list
# (harness/content/fingerprint_cases.h).

load common

setup_file()
{
	local utils images

	export tool=$top/build/harness/erofs-share
	utils=$("$top/scripts/images/erofs-utils")
	images=$("$top/scripts/images/test-images")
	export PATH=$utils:$PATH TMPDIR=$BATS_FILE_TMPDIR cases=$images/cases
}

# said TEXT: print what check says about the file "case": missing, ambiguous,
# unusable or one. Where no file has a fingerprint, it names none.
said()
{
	case $1 in
	*'none of its 1 files has one'*) echo none ;;
	*$'\nambiguous: case\n'*) echo ambiguous ;;
	*$'\nunusable: case\n'*) echo unusable ;;
	*) echo one ;;
	esac
}

@test "check has the verdict of the list on every image" {
	local name verdict rc text count=0

	while read -r name verdict; do
		count=$((count + 1)) rc=0
		text=$("$tool" check "$cases/$name.erofs") || rc=$?
		[ "$(said "$text"$'\n')" = "$verdict" ] || {
			echo "$name: expected $verdict, check says: $text"
			return 1
		}
		[ "$verdict" = one ] || [ "$rc" -eq 1 ] || {
			echo "$name: $verdict, but exit status $rc"
			return 1
		}
		# A file that is the only one with its value is right, but for
		# values that mkfs.erofs would not write.
		case $name in
		one-of-*) [ "$rc" -eq 1 ] ;;
		*) [ "$verdict" != one ] || [ "$rc" -eq 0 ] ;;
		esac
	done <"$cases/verdicts"
	[ "$count" -ge 80 ]
}

@test "estimate lets a file share with its twin exactly when it has one fingerprint" {
	local name verdict twin=$BATS_TEST_TMPDIR/twin.erofs

	while read -r name verdict; do
		cp "$cases/$name.erofs" "$twin"
		"$tool" estimate --json "$cases/$name.erofs" "$twin" |
			python3 -c 'import json, sys
name, verdict = sys.argv[1:]
found = json.load(sys.stdin)
states = {"ambiguous": "ambiguous_files", "unusable": "unusable_files", "none": "missing_files"}
saved = found["saved_bytes"]
if (saved > 0) != (verdict == "one"):
    sys.exit(f"{name}: {verdict}, but saved_bytes is {saved}")
for source in found["sources"]:
    for state, member in states.items():
        if source[member] != (state == verdict):
            sys.exit(f"{name}: {verdict}, but {member} is {source[member]}")' "$name" "$verdict"
	done <"$cases/verdicts"
}

@test "check tells images that declare fingerprints and have none" {
	run "$tool" check --device "$cases/index.tar" "$cases/index.erofs"
	[ "$status" -eq 1 ]
	[[ $output == *'none of its 1 files has one'* ]]
	run "$tool" check --device "$cases/layer-2-hidden.erofs" --device "$cases/layer-1-hidden.erofs" \
		"$cases/merged-hidden.erofs"
	[ "$status" -eq 1 ]
	[[ $output == *'none of its 4 files has one'* ]]
	run "$tool" check --device "$cases/layer-2-named.erofs" --device "$cases/layer-1-named.erofs" \
		"$cases/merged-named.erofs"
	[ "$status" -eq 0 ]
	[[ $output == *'4 files, 4 with the right fingerprint'* ]]
}
