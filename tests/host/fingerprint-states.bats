#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What erofs-share check and estimate say of images whose files have no
# fingerprint, more than one, or one that nobody can use: messages, exit codes,
# JSON. mkfs.erofs makes the images here, of archives and trees as they come from
# elsewhere.

load common

setup_file()
{
	export tool=$top/build/harness/erofs-share
	utils=$("$top/scripts/images/erofs-utils")
	export mkfs=$utils/mkfs.erofs
	export PATH=$utils:$PATH TMPDIR=$BATS_FILE_TMPDIR
	export dir=$BATS_FILE_TMPDIR
	export hidden=--xattr-inode-digest
	export named=--xattr-inode-digest=trusted.erofs.fingerprint
	export user=--xattr-inode-digest=user.fingerprint
	export forged=sha256:00000000000000000000000000000000
	archive good.tar tool other
	archive more.tar third
	archive forged.tar "tool,erofs.fingerprint.v1=$forged" other
	archive forged-named.tar "tool,trusted.erofs.fingerprint=$forged" other
	"$mkfs" --quiet --tar=f "$hidden" "$dir/good.erofs" "$dir/good.tar"
	"$mkfs" --quiet --tar=i "$hidden" "$dir/index.erofs" "$dir/good.tar"
}

# archive FILE ENTRY[,ATTRIBUTE=VALUE]...: a tar whose entries, of contents that
# depend on their names alone, have PAX records with these attributes.
archive()
{
	python3 -c 'import io, random, sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    for entry in sys.argv[2:]:
        name, *attributes = entry.split(",")
        data = random.Random(name).randbytes(12000)
        info = tarfile.TarInfo(name)
        info.size = len(data)
        info.pax_headers = dict(["SCHILY.xattr." + pair.split("=")[0],
                                 pair.split("=")[1]] for pair in attributes)
        tar.addfile(info, io.BytesIO(data))' "$dir/$1" "${@:2}"
}

# attribute NAME VALUE FILE...: set an extended attribute.
attribute()
{
	python3 -c 'import os, sys
for path in sys.argv[3:]:
    os.setxattr(path, sys.argv[1], sys.argv[2].encode())' "$@" ||
		skip "no attributes in $dir"
}

# tree NAME: a directory with two files that have fingerprints of older contents,
# the same one, as a copied overlay leaves them; and one that has none.
tree()
{
	local file

	mkdir -p "$dir/$1"
	for file in one two other; do
		head -c 12000 /dev/urandom >"$dir/$1/$file"
	done
	attribute user.fingerprint "$forged" "$dir/$1"/{one,two}
}

# sorted WORD: print the paths behind WORD in $output, in order.
sorted()
{
	# shellcheck disable=SC2154 # set by bats' run
	sed -n "s/^$1: //p" <<<"$output" | sort | paste -sd ' '
}

# expect_check STATUS ARGUMENT...
expect_check()
{
	run --separate-stderr "$tool" check "${@:2}"
	[ "$status" -eq "$1" ] || { echo "status $status: $output$stderr"; return 1; }
}

# member IMAGE NAME: print a member of the JSON for one image beside a good one.
member()
{
	"$tool" estimate --json "$1" "$dir/good.erofs" | jq -c "[.sources[0] | $2]"
}

@test "a sound image with the hidden attribute is right, and the attribute is named" {
	expect_check 0 "$dir/good.erofs"
	[ "$output" = "$dir/good.erofs: 2 files, 2 with the right fingerprint (erofs.fingerprint.v1, hidden)" ]
	[ "$(member "$dir/good.erofs" '.files, .missing_files, .ambiguous_files, .unusable_files')" = '[2,0,0,0]' ]
}

@test "a fingerprint that an archive brings along makes its file ambiguous" {
	"$mkfs" --quiet --tar=f "$hidden" "$dir/a.erofs" "$dir/forged.tar"
	"$mkfs" --quiet --tar=f "$named" "$dir/b.erofs" "$dir/forged-named.tar"
	for image in "$dir/a.erofs" "$dir/b.erofs"; do
		expect_check 1 "$image"
		grep -q '2 files, 1 with the right fingerprint' <<<"$output"
		[ "$(sorted ambiguous)" = tool ]
		[[ $output != *WRONG* && $output != *missing* ]]
		# The other file has its twin in the good image: 12 KiB of 24.
		[ "$(member "$image" '.shared_bytes, .ambiguous_files, .has_fingerprints')" = '[12288,1,true]' ]
	done
	run --separate-stderr "$tool" estimate "$dir/a.erofs" "$dir/good.erofs"
	grep -qx "$dir/a.erofs: files that share nothing: 1 with more than one fingerprint; erofs-share check names them." <<<"$output"
	[[ $output != *'other contents'* ]]
}

@test "an index of an archive declares fingerprints and has none" {
	expect_check 1 "$dir/index.erofs"
	grep -q 'declares fingerprints (erofs.fingerprint.v1, hidden), and none of its 2 files has one' <<<"$output"
	grep -q -e '--tar=i' <<<"$output"
	[[ $output != *missing:* ]]
	[ "$(member "$dir/index.erofs" '.declares_fingerprints, .has_fingerprints, .missing_files, .shared_bytes')" = '[true,false,2,0]' ]
	[ "$("$tool" estimate --json "$dir/index.erofs" "$dir/good.erofs" | jq -c '[.bytes, .bytes_with_sharing]')" = '[49152,49152]' ]
	run --separate-stderr "$tool" estimate "$dir/index.erofs" "$dir/good.erofs"
	grep -q "index.erofs declares fingerprints, and no file has one" <<<"$output"
	[[ $output != *'other contents'* ]]
}

@test "an index of an archive with a forged fingerprint is wrong" {
	"$mkfs" --quiet --tar=i "$hidden" "$dir/a.erofs" "$dir/forged.tar"
	expect_check 1 --device "$dir/forged.tar" "$dir/a.erofs"
	[ "$(sorted WRONG)" = tool ]
	[ "$(sorted missing)" = other ]
}

@test "merged layers lose hidden fingerprints, and keep named ones" {
	for attribute in "$hidden" "$named"; do
		for layer in good more; do
			"$mkfs" --quiet --tar=f --aufs -Enoinline_data "$attribute" "$dir/$layer.layer" "$dir/$layer.tar"
		done
		"$mkfs" --quiet "$attribute" "$dir/merged.erofs" "$dir/more.layer" "$dir/good.layer"
		layers=(--device "$dir/more.layer" --device "$dir/good.layer")
		if [ "$attribute" = "$named" ]; then
			expect_check 0 "${layers[@]}" "$dir/merged.erofs"
		else
			expect_check 1 "${layers[@]}" "$dir/merged.erofs"
			grep -q 'none of its 3 files has one' <<<"$output"
			grep -q 'merges layers' <<<"$output"
		fi
	done
	"$mkfs" --quiet "$dir/merged.erofs" "$dir/more.layer" "$dir/good.layer"
	expect_check 1 "${layers[@]}" "$dir/merged.erofs"
	grep -q 'no fingerprints; mounted with inode_share it shares nothing' <<<"$output"
}

@test "stale fingerprints make files ambiguous, inline and shared ones" {
	tree stale
	for options in -x100 -x1; do
		"$mkfs" --quiet "$options" "$user" "$dir/a.erofs" "$dir/stale"
		expect_check 1 "$dir/a.erofs"
		[ "$(sorted ambiguous)" = 'one two' ]
		grep -q '3 files, 1 with the right fingerprint (user.fingerprint)' <<<"$output"
	done
	# What check advises makes a right image: the stale ones stay behind.
	run_printed
	expect_check 0 "$dir/made.erofs"
}

# run_printed: run the command of $output, with a name put in.
run_printed()
{
	local command

	command=$(sed -n 's/^    //p' <<<"$output" | sed "s,NEW-IMAGE,$dir/made.erofs,")
	[[ $command == erofs-share\ fingerprint\ * ]]
	rm -f "$dir/made.erofs"
	PATH=${tool%/*}:$PATH bash -c "$command"
}

@test "a name that another prefix divides is the fingerprint's" {
	tree split
	rm "$dir/split/one"
	cp "$dir/split/other" "$dir/split/one"
	"$mkfs" --quiet --xattr-prefix=user.finger "$user" "$dir/a.erofs" "$dir/split"
	expect_check 1 "$dir/a.erofs"
	[ "$(sorted ambiguous)" = two ]
	[ -z "$(sorted missing)" ]
	"$mkfs" --quiet --tar=f --xattr-prefix=trusted.erofs. "$named" "$dir/b.erofs" "$dir/good.tar"
	expect_check 0 "$dir/b.erofs"
}

# patch IMAGE OLD NEW: replace the only occurrence of the bytes OLD, both Python
# literals of equal length.
patch()
{
	python3 -c 'import ast, sys
old, new = (ast.literal_eval(a) for a in sys.argv[2:])
data = open(sys.argv[1], "rb").read()
assert data.count(old) == 1 and len(old) == len(new), data.count(old)
open(sys.argv[1], "wb").write(data.replace(old, new))' "$@"
}

@test "a file whose attributes lie outside is unusable, and only that file" {
	# The value's length, in front of the value itself: no prefix, a name of
	# 11 bytes, namespace user.
	mkdir -p "$dir/damaged"
	head -c 12000 /dev/urandom >"$dir/damaged/one"
	head -c 12000 /dev/urandom >"$dir/damaged/two"
	attribute user.something 0123456789 "$dir/damaged/one"
	"$mkfs" --quiet -x100 "$hidden" "$dir/a.erofs" "$dir/damaged"
	patch "$dir/a.erofs" 'b"\x09\x01\x0a\x00something"' 'b"\x09\x01\x0a\x77something"'
	expect_check 1 "$dir/a.erofs"
	[ "$(sorted unusable)" = one ]
	# The other file of it is compared all the same.
	grep -qF "$dir/a.erofs: 2 files, 1 with the right fingerprint (erofs.fingerprint.v1, hidden)" <<<"$output"
	[[ $output != *compared* ]]
	change "$dir/a.erofs" "$dir/damaged/two"
	expect_check 1 "$dir/a.erofs"
	[ "$(sorted WRONG)" = two ]
	[ "$(member "$dir/a.erofs" '.unusable_files, .ambiguous_files, .missing_files')" = '[1,0,0]' ]
	run --separate-stderr "$tool" estimate "$dir/a.erofs" "$dir/good.erofs"
	grep -q ': files that share nothing: 1 with an unusable fingerprint;' <<<"$output"
}

@test "where no file can be compared, check says so and fails" {
	mkdir -p "$dir/uncompared"
	seq 1 4000 >"$dir/uncompared/one"
	seq 2 4000 >"$dir/uncompared/two"
	attribute user.something 0123456789 "$dir/uncompared/one"
	"$mkfs" --quiet -zlz4 -x100 "$hidden" "$dir/a.erofs" "$dir/uncompared"
	patch "$dir/a.erofs" 'b"\x09\x01\x0a\x00something"' 'b"\x09\x01\x0a\x77something"'
	# One that reads nothing at all.
	mkdir -p "$dir/bin"
	printf '#!/bin/sh\n[ "$1" = -V ] || exit 1\necho "fsck.erofs (erofs-utils) 1.9.4"\n' >"$dir/bin/fsck.erofs"
	chmod +x "$dir/bin/fsck.erofs"
	PATH=$dir/bin:$PATH run --separate-stderr "$tool" check --no-kernel "$dir/a.erofs"
	[ "$status" -eq 2 ] || { echo "status $status: $output$stderr"; return 1; }
	[ "$(sorted unusable)" = one ]
	[[ $(sorted 'not compared') == 'two (fsck.erofs gives 0 of '*')' ]]
	text=$(tr '\n' ' ' <<<"$output")
	grep -qF 'No file of this image was compared with its fingerprint; do not mount it in a domain before that.' <<<"$text"
	[[ $text != *WRONG* ]]
}

@test "an image without contents, or whose files have none, is not right" {
	mkdir -p "$dir/nothing/sub"
	"$mkfs" --quiet "$hidden" "$dir/a.erofs" "$dir/nothing"
	: >"$dir/nothing/empty"
	"$mkfs" --quiet "$hidden" "$dir/b.erofs" "$dir/nothing"
	for image in "$dir/a.erofs" "$dir/b.erofs"; do
		expect_check 1 "$image"
		grep -q 'no regular file$' <<<"$output"
		grep -q 'there is nothing to compare' <<<"$output"
		[[ $output != *' right '* ]]
		[ "$(member "$image" '.files, .has_fingerprints, .declares_fingerprints')" = '[0,false,true]' ]
	done
}

@test "the advice keeps attributes, and names a program that fails" {
	mkdir -p "$dir/kept"
	head -c 12000 /dev/urandom >"$dir/kept/file"
	attribute user.something kept "$dir/kept/file"
	"$mkfs" --quiet "$dir/it's \$a.erofs" "$dir/kept"
	expect_check 1 "$dir/it's \$a.erofs"
	grep -qF "    erofs-share fingerprint '$dir/it'\\''s \$a.erofs' NEW-IMAGE" <<<"$output"
	run_printed
	expect_check 0 "$dir/made.erofs"
	rm -rf "$dir/made"
	"${mkfs%/*}/fsck.erofs" --xattrs --extract="$dir/made" "$dir/made.erofs"
	[ "$(python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "user.something").decode())' "$dir/made/file")" = kept ]
	# With a program that cannot make it, there is no image.
	mkdir -p "$dir/bin"
	printf '#!/bin/sh\nexit 1\n' >"$dir/bin/mkfs.erofs"
	chmod +x "$dir/bin/mkfs.erofs"
	expect_check 1 "$dir/it's \$a.erofs"
	if PATH=$dir/bin:$PATH run_printed; then return 1; fi
	[ ! -e "$dir/made.erofs" ]
	# Forged ones stay behind, hidden or not.
	"$mkfs" --quiet --tar=f "$hidden" "$dir/a.erofs" "$dir/forged.tar"
	expect_check 1 "$dir/a.erofs"
	run_printed
	expect_check 0 "$dir/made.erofs"
	tree seen
	"$mkfs" --quiet "$user" "$dir/a.erofs" "$dir/seen"
	expect_check 1 "$dir/a.erofs"
	run_printed
	expect_check 0 "$dir/made.erofs"
}

@test "the advice has the devices, those that were given or a word for them" {
	expect_check 1 "$dir/index.erofs"
	grep -qF "    erofs-share fingerprint --device=FILE $dir/index.erofs NEW-IMAGE" <<<"$output"
	cp "$dir/good.tar" "$dir/a b.tar"
	expect_check 1 --device "$dir/a b.tar" "$dir/index.erofs"
	grep -qF " --device='$dir/a b.tar' $dir/index.erofs NEW-IMAGE" <<<"$output"
	run_printed
	expect_check 0 "$dir/made.erofs"
}

@test "the advice for an image with fragments names who reads them right" {
	mkdir -p "$dir/packed"
	head -c 12000 /dev/urandom >"$dir/packed/file"
	"$mkfs" --quiet -zlz4 -Eall-fragments "$dir/a.erofs" "$dir/packed"
	expect_check 1 "$dir/a.erofs"
	[[ $output != *'fsck.erofs --'* ]]
	grep -q 'as root on Linux 6.12: the image has fragments' <<<"$output"
}

@test "what is wrong with fragments may be the kernel's or fsck.erofs' fault" {
	mkdir -p "$dir/packed"
	head -c 12000 /dev/urandom >"$dir/packed/file"
	"$mkfs" --quiet -zlz4 -Eall-fragments "$user" "$dir/a.erofs" "$dir/packed"
	change "$dir/a.erofs" "$dir/packed/file"
	run --separate-stderr "$tool" check "$dir/a.erofs"
	if [ "$status" -eq 2 ]; then
		# Nobody here may mount: so nobody can tell.
		one_line "$dir/a.erofs: "
		grep -qE 'fragments|cannot be mounted' <<<"$stderr"
		return
	fi
	[ "$status" -eq 1 ]
	[ "$(sorted WRONG)" = file ]
	grep -q 'the image or this kernel may be wrong' <<<"$output"
	grep -qF 'before another kernel (6.12) says otherwise' <<<"$output"
}

# change IMAGE FILE: change the first byte of FILE in IMAGE, which has it plain.
change()
{
	python3 -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(open(sys.argv[2], "rb").read()[:64])
data[at] ^= 1
open(sys.argv[1], "wb").write(data)' "$@"
}

@test "estimate takes an image without a usable fingerprint for one without" {
	archive all.tar "tool,erofs.fingerprint.v1=$forged"
	"$mkfs" --quiet --tar=f "$hidden" "$dir/a.erofs" "$dir/all.tar"
	[ "$(member "$dir/a.erofs" '.files, .has_fingerprints, .ambiguous_files')" = '[1,false,1]' ]
	run --separate-stderr "$tool" estimate "$dir/a.erofs" "$dir/good.erofs"
	grep -q ': files that share nothing: 1 with more than one fingerprint;' <<<"$output"
	[[ $output != *'no file has one'* ]]
}

@test "estimate says that fragments may be read wrong" {
	mkdir -p "$dir/packed"
	head -c 12000 /dev/urandom >"$dir/packed/file"
	for options in "" "$hidden"; do
		# shellcheck disable=SC2086 # none or one
		"$mkfs" --quiet -zlz4 -Eall-fragments $options "$dir/a.erofs" "$dir/packed"
		run --separate-stderr "$tool" estimate "$dir/a.erofs" "$dir/good.erofs"
		[ "$(grep -c 'has fragments, of which fsck.erofs 1.9.4.*Linux 6.18 is known.*read some wrong' <<<"$output")" -eq 1 ]
		[[ $output != *good.erofs\ has\ fragments* ]]
	done
}

@test "check says where an ambiguous fingerprint may come from" {
	"$mkfs" --quiet --tar=f "$hidden" "$dir/a.erofs" "$dir/forged.tar"
	expect_check 1 "$dir/a.erofs"
	grep -q 'do not trust the tar' <<<"${output//$'\n'/ }"
	[[ $output != *overlayfs* ]]
	tree origins
	"$mkfs" --quiet "$user" "$dir/a.erofs" "$dir/origins"
	expect_check 1 "$dir/a.erofs"
	grep -qF 'the tree that the image was made from carried the attribute already, right or not (copied up by overlayfs, rsync -X, cp -a, or from a tar), and mkfs.erofs added its own.' <<<"${output//$'\n'/ }"
	[[ $output != *'do not trust'* ]]
}

# resize IMAGE PATH SIZE: write another size into the inode of PATH, a compact one
# of an image with blocks of 4096 bytes.
resize()
{
	local nid

	nid=$(dump.erofs --path="$2" "$1" | sed -n 's/^NID: \([0-9]*\) .*/\1/p')
	python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as image:
    image.seek(1024 + 40)
    metadata, = struct.unpack("<I", image.read(4))
    image.seek(metadata * 4096 + int(sys.argv[2]) * 32 + 8)
    image.write(struct.pack("<I", int(sys.argv[3])))' "$1" "$nid" "$3"
}

@test "entries of a directory that hide a file are refused as damage" {
	mkdir -p "$dir/raw/sub"
	head -c 12000 /dev/urandom >"$dir/raw/sub/..x"
	# Three entries of 12 bytes, and the names: without the last byte there
	# are two "..", and the kernel opens "..x" all the same in the first form.
	for layout in -Enoinline_data -Einline_data; do
		"$mkfs" --quiet "$layout" "$hidden" "$dir/a.erofs" "$dir/raw"
		expect_check 0 "$dir/a.erofs"
		resize "$dir/a.erofs" /sub $((3 * 12 + 5))
		expect_check 2 "$dir/a.erofs"
		one_line "$dir/a.erofs: damaged image, a"
	done
	"$mkfs" --quiet "$hidden" "$dir/a.erofs" "$dir/raw"
	patch "$dir/a.erofs" 'b".....x"' 'b"..x..x"'
	expect_check 2 "$dir/a.erofs"
	one_line 'damaged image, a directory with 1 "." and 0 ".."'
	# "." and ".." lead to the directory's own and the parent's inode.
	"$mkfs" --quiet "$hidden" "$dir/a.erofs" "$dir/raw"
	swap_dots "$dir/a.erofs"
	expect_check 2 "$dir/a.erofs"
	one_line 'damaged image, a "." that is another inode'
}

# swap_dots IMAGE: exchange the inode numbers of "." and ".." in /sub.
swap_dots()
{
	python3 -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b".....x") - 36
data[at:at + 8], data[at + 12:at + 20] = data[at + 12:at + 20], data[at:at + 8]
open(sys.argv[1], "wb").write(data)' "$1"
}

@test "check says what it expected, of images and of devices" {
	run --separate-stderr "$tool" check "$dir"
	[ "$status" -eq 2 ]
	one_line "$dir: expected an erofs image"
	run --separate-stderr "$tool" check "$dir/no such file"
	[ "$status" -eq 2 ]
	one_line "$dir/no such file: expected an erofs image: No such file or directory"
	run --separate-stderr "$tool" check --device "$dir/good.tar" "$dir/good.erofs"
	[ "$status" -eq 2 ]
	one_line 'this image has no extra devices'
	# Devices of layers, in the wrong order: as large as each other, for
	# else their blocks lie outside.
	"$mkfs" --quiet --tar=f --aufs -Enoinline_data "$named" "$dir/a.layer" "$dir/more.tar"
	archive again.tar again
	"$mkfs" --quiet --tar=f --aufs -Enoinline_data "$named" "$dir/b.layer" "$dir/again.tar"
	"$mkfs" --quiet "$named" "$dir/merged.erofs" "$dir/a.layer" "$dir/b.layer"
	expect_check 0 --device "$dir/a.layer" --device "$dir/b.layer" "$dir/merged.erofs"
	expect_check 1 --device "$dir/b.layer" --device "$dir/a.layer" "$dir/merged.erofs"
	grep -qx 'All files are wrong: are the devices in the right order?' <<<"$output"
	run --separate-stderr "$tool" check --device "$dir/a.layer" "$dir/merged.erofs"
	[ "$status" -eq 2 ]
	one_line 'expected --device=FILE 2 times'
}

@test "estimate refuses data on other devices, and names no option of check" {
	"$mkfs" --quiet --tar=i "$dir/a.erofs" "$dir/good.tar"
	run --separate-stderr "$tool" estimate "$dir/a.erofs" "$dir/good.erofs"
	[ "$status" -eq 2 ]
	one_line "$dir/a.erofs: it has neither fingerprints nor all of its data"
	[[ $stderr != *--device* ]]
}

@test "names of images do not end lines of messages" {
	name=$dir/$'b\nerofs-share: c'
	head -c 4096 "$dir/good.erofs" | tr '\0' '\377' >"$name"
	for command in "check" "estimate $dir/good.erofs"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$tool" $command "$name"
		[ "$status" -eq 2 ]
		one_line "\$'$dir/b\\nerofs-share: c'"
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$tool" $command "$name-gone"
		[ "$status" -eq 2 ]
		one_line 'No such file'
	done
}

@test "names of any bytes give valid JSON" {
	mkdir -p "$dir"/bytes-{1,2}
	for tree in "$dir"/bytes-{1,2}; do
		head -c 12000 /dev/urandom >"$tree/"$'a\377b'
		"$mkfs" --quiet "$hidden" "$tree.erofs" "$tree"
	done
	run --separate-stderr "$tool" estimate --json "$dir"/bytes-{1,2}.erofs
	[ "$status" -eq 0 ]
	[ "$(jq -r '.obstacles[0].path' <<<"$output")" = $'a\357\277\275b' ]
}

@test "names of files do not end lines or speak to the terminal" {
	mkdir -p "$dir/names"
	head -c 12000 /dev/urandom >"$dir/names/"$'a\nWRONG: b\e[31m'
	attribute user.fingerprint "$forged" "$dir/names/"*
	"$mkfs" --quiet "$user" "$dir/a.erofs" "$dir/names"
	expect_check 1 "$dir/a.erofs"
	grep -qxF "ambiguous: \$'a\\nWRONG: b\\033[31m'" <<<"$output"
	[[ $output != *$'\e'* ]]
}
