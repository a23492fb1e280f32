#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The test images have the layouts that they are named after: what a guest reads
# through "4k-dedupe" says nothing if mkfs.erofs deduplicated nothing.

load common

setup()
{
	images=$("$top/scripts/images/test-images")
	dump=$("$top/scripts/images/erofs-utils")/dump.erofs
}

# layout IMAGE FILE: print the number of the file's data layout on disk and the
# size of its inode. 0 is plain, 2 inline, 4 by chunks, 1 and 3 compressed with
# a full and a compact index.
layout()
{
	"$dump" --path="/$2" "$images/$1.erofs" |
		sed -nE 's/.*Layout: ([0-9]+) .*/\1/p; s/^Inode size: ([0-9]+) .*/\1/p' |
		paste -sd ' '
}

# has_layout WANTED FILE IMAGE...
has_layout()
{
	local wanted=$1 file=$2 image found
	shift 2

	for image; do
		found=$(layout "$image" "$file")
		# shellcheck disable=SC2053 # a pattern
		[[ $found == $wanted ]] || {
			echo "$image: /$file has layout and inode size '$found', not '$wanted'"
			return 1
		}
	done
}

# has_feature FEATURE IMAGE...
has_feature()
{
	local feature=$1 image
	shift

	for image; do
		"$dump" -s "$images/$image.erofs" | grep -q "features:.* $feature " || {
			echo "$image does not have $feature"
			return 1
		}
	done
}

# extents IMAGE FILE: print the physical offset of each extent.
extents()
{
	"$dump" -e --path="/$2" "$images/$1.erofs" |
		sed -nE 's/^ *[0-9]+: .*: *([0-9]+)\.\. .*/\1/p'
}

@test "plain, inline and chunk-based files are stored so" {
	has_layout '0 32' sizes/513 4k-plain 2k-plain 512-plain
	has_layout '2 32' sizes/4097 4k-inline 1k-inline 512-inline
	has_layout '4 *' text 4k-chunk4k 4k-chunk64k 4k-chunk1m 4k-indexes 4k-blob \
		2k-chunk 1k-chunk 512-chunk 512-blob
	has_layout '2 *' huge huge-inline
	has_layout '4 *' huge huge-chunk
}

@test "compressed files are stored so" {
	has_layout '[13] *' text 4k-lz4 4k-lz4-extended 4k-lz4hc 4k-lzma 4k-deflate \
		4k-zstd 4k-big64k 4k-big1m 4k-ztailpacking 4k-fragments \
		4k-allfragments 4k-dedupe 4k-dedupe-lzma 2k-lz4 2k-fragments 1k-lz4 \
		512-lz4 512-zstd
	has_layout '[13] *' huge huge-lz4
}

@test "inodes are compact unless they are to be extended" {
	has_layout '* 32' text 4k-inline 4k-lz4
	has_layout '* 64' text 4k-extended 4k-lz4-extended
}

@test "images use what their names say" {
	has_feature chunked_file 4k-chunk4k 4k-chunk64k 4k-chunk1m 4k-indexes 4k-blob
	has_feature device_table 4k-blob 512-blob
	has_feature big_pcluster 4k-big64k 4k-big1m
	has_feature ztailpacking 4k-ztailpacking 4k-fragments
	has_feature fragments 4k-fragments 4k-allfragments 4k-dedupe-lzma 2k-fragments
	has_feature dedupe 4k-dedupe 4k-dedupe-lzma
}

@test "what files have in common is stored once by 4k-dedupe and twice by others" {
	[ "$(extents 4k-dedupe text | head -n 1)" = "$(extents 4k-dedupe text-start | head -n 1)" ]
	[ "$(extents 4k-lz4 text | head -n 1)" != "$(extents 4k-lz4 text-start | head -n 1)" ]
}

@test "holes take no space in a chunk-based image" {
	# Four chunks of 1 MiB have data and one is a byte; chunks of zeroes would
	# be a fifth, because equal chunks are stored once.
	[ "$(stat -c %s "$images/huge-chunk.erofs")" -lt $((4 * 1048576 + 524288)) ]
}

@test "the data of an image with a blob is in the blob" {
	for image in 4k-blob 512-blob; do
		[ "$(stat -c %s "$images/$image.blob")" -gt "$(stat -c %s "$images/$image.erofs")" ]
	done
}

@test "an image made twice is the same image" {
	cache=$(cold_cache)
	mkdir -p "$cache"
	ln -s "$(warm_cache)/erofs-utils" "$cache/erofs-utils"
	again=$(EROFS_SHARE_CACHE=$cache "$top/scripts/images/test-images")
	while read -r name _ blob; do
		cmp "$images/$name.erofs" "$again/$name.erofs"
		[ -z "$blob" ] || cmp "$images/$name.blob" "$again/$name.blob"
	done <"$images/index"
}

# lacks_feature FEATURE IMAGE...
lacks_feature()
{
	local feature=$1 image
	shift

	for image; do
		run ! has_feature "$feature" "$image"
	done
}

# xattr_size IMAGE FILE: print how many bytes the file's inode has for attributes.
xattr_size()
{
	"$dump" --path="/$2" "$images/$1.erofs" | sed -nE 's/.*Xattr size: ([0-9]+).*/\1/p'
}

@test "prefixes of attribute names lie where the images' names say" {
	has_feature xattr_prefixes xattr-inline xattr-shared xattr-nofilter xattr-packed xattr-plain xattr-512
	has_feature fragments xattr-packed xattr-plain
	lacks_feature plain_xattr_pfx xattr-packed
	has_feature plain_xattr_pfx xattr-plain xattr-inline
	has_feature xattr_filter xattr-inline
	lacks_feature xattr_filter xattr-nofilter
}

@test "attributes that files have in common are stored once by xattr-shared" {
	"$top/build/harness/erofs-share-lab" make-tree attr-user "$BATS_TEST_TMPDIR"
	"$(dirname "$dump")/mkfs.erofs" --quiet -x100 --xattr-inode-digest=trusted.erofs.fingerprint \
		--xattr-prefix=user.x. --xattr-prefix="user.$(printf 'L%.0s' {1..190})." \
		"$BATS_TEST_TMPDIR.erofs" "$BATS_TEST_TMPDIR"
	alone=$("$dump" --path=/first "$BATS_TEST_TMPDIR.erofs" | sed -nE 's/.*Xattr size: ([0-9]+).*/\1/p')
	[ "$(xattr_size xattr-shared first)" -lt "$alone" ]
}
