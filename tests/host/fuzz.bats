#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Hostile images: that the mutants reach every structure of each layout, and are
# the same each time. What the kernel does with them is scripts/check/fuzz's business.

load common

setup()
{
	tool=$top/build/harness/erofs-share-lab
	seeds=$("$top/scripts/images/fuzz-seeds")
}

# hits SEED: print "STRUCTURE NUMBER" for 1000 mutants.
hits()
{
	"$tool" mutant "$seeds" "$1" 0 1000 | awk '/^#/ { n[$2]++ } END { for (s in n) print s, n[s] }'
}

# has_hits SEED STRUCTURE...: fail unless each is changed 20 times in 1000 mutants.
has_hits()
{
	local seed=$1 structure found
	shift

	found=$(hits "$seed")
	for structure; do
		awk -v want="$structure" '$1 == want && $2 >= 20 { ok = 1 } END { exit !ok }' <<<"$found" || {
			echo "$seed: $structure is changed too seldom:"
			echo "$found"
			return 1
		}
	done
}

@test "mutants reach each structure of each seed" {
	while read -r seed; do
		has_hits "$seed" superblock inode xattr-header shared-xattr xattr-entry \
			fingerprint dirent data
	done <"$seeds/index"
}

@test "mutants reach what only some layouts have" {
	has_hits inline tail prefix
	has_hits lz4 prefix map-header index
	has_hits lz4-full map-header index
	has_hits chunk chunk
	has_hits indexes chunk
	has_hits blob chunk device
	has_hits lzma compression index
	has_hits zstd compression index
	has_hits ztailpacking tail
	has_hits fragments map-header compression
}

@test "a mutant is the same each time, and another number another one" {
	"$tool" mutant "$seeds" lz4 0 200 >"$BATS_TEST_TMPDIR/first"
	"$tool" mutant "$seeds" lz4 0 200 | cmp - "$BATS_TEST_TMPDIR/first"
	[ "$(grep -v '^#' "$BATS_TEST_TMPDIR/first" | sort -u | wc -l)" -gt 195 ]
}

@test "mutants get past the superblock's checksum" {
	# Three in four change nothing in the superblock's block, or the checksum too.
	changed=0 fixed=0
	while read -r _ _ _ _ patches; do
		# the block from 1024 on, in hexadecimal
		grep -qE '(^| )[4-9a-f][0-9a-f]{2}=' <<<"$patches" || continue
		changed=$((changed + 1))
		! grep -qE '(^| )40[0-7]=' <<<"$patches" || fixed=$((fixed + 1))
	done < <("$tool" mutant "$seeds" lz4 0 500 | grep -v '^#')
	[ "$changed" -gt 50 ]
	[ $((fixed * 10)) -gt $((changed * 9)) ]
}

@test "a mutant of every seed is a recipe of at most 4000 characters" {
	while read -r seed; do
		"$tool" mutant "$seeds" "$seed" 0 200 | grep -v '^#' | awk 'length > 4000 { exit 1 }'
	done <"$seeds/index"
}
