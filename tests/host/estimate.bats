#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# erofs-share estimate and check, on images that mkfs.erofs makes here. What they
# say is compared with sha256sum, find and awk.

load common

setup_file()
{
	local file

	export tool=$top/build/harness/erofs-share
	utils=$("$top/scripts/images/erofs-utils")
	export mkfs=$utils/mkfs.erofs
	export PATH=$utils:$PATH TMPDIR=$BATS_FILE_TMPDIR
	export fingerprints=--xattr-inode-digest=trusted.erofs.fingerprint
	export trees=$BATS_FILE_TMPDIR/trees
	mkdir -p "$trees"/{old,new}/{bin,lib}
	for file in lib/same-1 lib/same-2 lib/twin; do
		seed "$file" 100000 >"$trees/old/$file"
		cp "$trees/old/$file" "$trees/new/$file"
	done
	cp "$trees/old/lib/twin" "$trees/old/lib/twin-again"
	seed old 300000 >"$trees/old/bin/daemon"
	seed new 310000 >"$trees/new/bin/daemon"
	seed old-small 5000 >"$trees/old/lib/versioned"
	seed new-small 5001 >"$trees/new/lib/versioned"
	# Other files, not versions of one.
	seed one 9000 >"$trees/old/lib/unlike"
	seed two 90000 >"$trees/new/lib/unlike"
	seed only 70000 >"$trees/new/bin/only"
	: >"$trees/old/empty"
	ln "$trees/old/lib/same-1" "$trees/old/bin/link"
	ln -s same-1 "$trees/old/lib/symlink"
	image old "$fingerprints"
	image new "$fingerprints" -zlz4
	# What becomes smaller: the others are random.
	mkdir "$trees/text"
	seq 1 20000 >"$trees/text/file"
	image text "$fingerprints" -zlz4
	"$mkfs" --quiet "$BATS_FILE_TMPDIR/bare.erofs" "$trees/old"
}

# seed WORD BYTES: print as many bytes that depend on WORD alone.
seed()
{
	python3 -c 'import random, sys
random.seed(sys.argv[1])
sys.stdout.buffer.write(random.randbytes(int(sys.argv[2])))' "$@"
}

# image NAME OPTION...
image()
{
	"$mkfs" --quiet "${@:2}" "$BATS_FILE_TMPDIR/$1.erofs" "$trees/$1"
}

setup()
{
	dir=$BATS_FILE_TMPDIR
	public=
}

teardown()
{
	[ -z "$public" ] || rm -rf "$public"
}

# contents TREE...: print digest, pages and inode of each file that is not empty.
contents()
{
	local tree

	for tree; do
		find "$tree" -type f -size +0 -printf '%i %s %p\n' | sort -u -k 1,1 |
			while read -r inode size path; do
				echo "$(sha256sum <"$path" | cut -d ' ' -f 1) $(((size + 4095) / 4096 * 4096)) $inode"
			done
	done
}

# What the page cache takes of trees: every file, and every content once.
all_bytes() { contents "$@" | awk '{ sum += $2 } END { print sum }'; }
once_bytes() { contents "$@" | sort -u -k 1,1 | awk '{ sum += $2 } END { print sum }'; }

# expect_estimate ARGUMENT...: two sources that are the trees old and new.
expect_estimate()
{
	run --separate-stderr "$tool" estimate --json "$@"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(jq .bytes <<<"$output")" -eq "$(all_bytes "$trees/old" "$trees/new")" ]
	[ "$(jq .bytes_with_sharing <<<"$output")" -eq "$(once_bytes "$trees/old" "$trees/new")" ]
	# Three files in common, and the twin counts once.
	[ "$(jq '.pairs[0].shared_bytes' <<<"$output")" -eq $((3 * 102400)) ]
	[ "$(jq '.sources[0].shared_bytes' <<<"$output")" -eq $((4 * 102400)) ]
	[ "$(jq '.sources[1].shared_bytes' <<<"$output")" -eq $((3 * 102400)) ]
	[ "$(jq '.sources[0].files' <<<"$output")" -eq 7 ]
	[ "$(jq -c '[.obstacles[] | [.path, .first_size, .second_size]]' <<<"$output")" = \
		'[["bin/daemon",300000,310000],["lib/versioned",5000,5001]]' ]
}

@test "estimate takes the fingerprints of images" {
	expect_estimate "$dir/old.erofs" "$dir/new.erofs"
	[ "$(jq -c '[.sources[].has_fingerprints]' <<<"$output")" = '[true,true]' ]
}

@test "estimate hashes images without fingerprints" {
	expect_estimate "$dir/bare.erofs" "$dir/new.erofs"
	[ "$(jq -c '[.sources[].has_fingerprints]' <<<"$output")" = '[false,true]' ]
}

@test "estimate hashes directories" {
	expect_estimate "$trees/old" "$trees/new"
	expect_estimate "$trees/old" "$dir/new.erofs"
}

@test "estimate reads every layout of an image's files and directories" {
	expect_estimate "$dir/old.erofs" "$dir/new.erofs"
	for options in -Eforce-inode-extended -E^inode_data -b1024 '-b512 --chunksize=512' \
		'-zzstd -C65536 -Efragments,ztailpacking' '-zlz4 -Eall-fragments,dedupe' -x1; do
		# shellcheck disable=SC2086 # options are words
		[ "$options" = '-E^inode_data' ] || image new "$fingerprints" $options
		expect_estimate "$dir/old.erofs" "$dir/new.erofs"
	done
}

@test "estimate reads a directory of many blocks" {
	mkdir -p "$trees/many"
	for i in {1..2000}; do echo "$i" >"$trees/many/a-long-name-for-a-file-$i"; done
	image many "$fingerprints"
	run --separate-stderr "$tool" estimate --json "$dir/many.erofs" "$trees/many"
	[ "$(jq '.sources[0].files' <<<"$output")" -eq 2000 ]
	[ "$(jq '.pairs[0].shared_bytes' <<<"$output")" -eq $((2000 * 4096)) ]
}

@test "estimate prints tables for people" {
	run --separate-stderr "$tool" estimate --top 1 "$dir/old.erofs" "$dir/new.erofs"
	[ "$status" -eq 0 ]
	grep -qE '^1  .*/old.erofs +7 +[0-9]+K +400K +[0-9.]+ %$' <<<"$output"
	grep -qE '^1 and 2 +300K +[0-9.]+ %$' <<<"$output"
	grep -qE '^293K, 303K +1 and 2 +bin/daemon$' <<<"$output"
	[[ $output != *versioned* ]]
	grep -q 'saved\.$' <<<"$output"
	[[ $output != *'no fingerprints'* ]]

	run --separate-stderr "$tool" estimate "$dir/bare.erofs" "$dir/new.erofs"
	grep -q "bare.erofs has no fingerprints: .*mkfs.erofs --xattr-inode-digest" <<<"$output"
}

@test "estimate shows a progress bar on a terminal, and none elsewhere" {
	run script -qec "'$tool' estimate '$trees/old' '$trees/new' >/dev/null" /dev/null
	[ "$status" -eq 0 ]
	grep -q '\[#*\.*\] .* of ' <<<"$output"
	run --separate-stderr "$tool" estimate "$trees/old" "$trees/new"
	[ -z "$stderr" ]
}

@test "estimate leaves no extracted files behind" {
	"$tool" estimate "$dir/bare.erofs" "$dir/new.erofs"
	[ -z "$(find "$dir" -maxdepth 1 -name 'erofs-share.*')" ]
}

@test "estimate names what it cannot read, and what it expected" {
	echo text >"$dir/no-image"
	run --separate-stderr "$tool" estimate "$dir/no-image" "$dir/new.erofs"
	[ "$status" -eq 2 ]
	one_line "$dir/no-image: expected an erofs image or a directory"

	run --separate-stderr "$tool" estimate "$dir/nothing" "$dir/new.erofs"
	[ "$status" -eq 2 ]
	one_line "$dir/nothing: expected an erofs image, a directory, a tar archive, or OCI-DIR:TAG"

	# A number below zero is none, and not the greatest that there is.
	for bad in --top=-1 --most-bytes=-1 --most-bytes=0; do
		run --separate-stderr "$tool" estimate "$bad" "$dir/new.erofs" "$dir/new.erofs"
		[ "$status" -gt 100 ]
	done

	head -c 4096 "$dir/new.erofs" >"$dir/cut.erofs"
	run --separate-stderr "$tool" estimate "$dir/cut.erofs" "$dir/new.erofs"
	[ "$status" -eq 2 ]
	one_line "$dir/cut.erofs: damaged image"

	run --separate-stderr "$tool" estimate "$dir/new.erofs"
	[ "$status" -gt 100 ]
}

@test "estimate says the same of damaged images, whatever the damage" {
	for i in {1..150}; do
		cp "$dir/old.erofs" "$dir/damaged.erofs"
		printf "\\x$(printf %02x $((i * 37 % 256)))" |
			dd of="$dir/damaged.erofs" bs=1 seek=$((1024 + i * 29 % 3500)) conv=notrunc status=none
		run --separate-stderr timeout 20 "$tool" estimate "$dir/damaged.erofs" "$dir/new.erofs"
		[ "$status" -eq 0 ] || {
			[ "$status" -eq 2 ]
			one_line "$dir/damaged.erofs"
		}
	done
}

@test "check finds right fingerprints" {
	run --separate-stderr "$tool" check "$dir/new.erofs"
	[ "$status" -eq 0 ]
	[ "$output" = "$dir/new.erofs: 7 files, 7 with the right fingerprint (trusted.erofs.fingerprint)" ]
}

@test "check and estimate read every layout of the test images" {
	local images name tree
	images=$("$top/scripts/images/test-images")
	while read -r name tree blob; do
		case $tree in mix | facets) ;; *) continue ;; esac
		# fsck.erofs 1.9.4 and Linux 6.18 read a file of 4k-fragments and
		# of hidden-packed wrong, which Linux 6.12 reads right.
		case $name in no-fingerprint | 4k-fragments | hidden-packed) continue ;; esac
		"$tool" check ${blob:+--device "$images/$name.blob"} "$images/$name.erofs"
	done <"$images/index"
	run --separate-stderr "$tool" estimate --json "$images/4k-plain.erofs" "$images/4k-allfragments.erofs" "$images/512-zstd.erofs"
	[ "$(jq -c '[.sources[] | .shared_bytes == .bytes]' <<<"$output")" = '[true,true,true]' ]
}

@test "check finds an image without fingerprints and says what to run" {
	run --separate-stderr "$tool" check "$dir/bare.erofs"
	[ "$status" -eq 1 ]
	grep -q 'bare.erofs: no fingerprints' <<<"$output"
	run_printed
	"$tool" check "$dir/made.erofs"
}

# run_printed: run the commands of $output, with names put in.
run_printed()
{
	local commands

	commands=$(sed -n 's/^    //p' <<<"$output" | sed "s,NEW-IMAGE,$dir/made.erofs,")
	rm -f "$dir/made.erofs"
	PATH=${tool%/*}:$PATH bash -c "$commands"
}

@test "check finds a file whose contents are not those of its fingerprint" {
	# same-2's first bytes lie in the image as they are: change one.
	cp "$dir/old.erofs" "$dir/wrong.erofs"
	offset=$(grep_bytes "$trees/old/lib/same-2" "$dir/old.erofs")
	printf '!' | dd of="$dir/wrong.erofs" bs=1 seek="$offset" conv=notrunc status=none
	run --separate-stderr "$tool" check "$dir/wrong.erofs"
	[ "$status" -eq 1 ]
	[ "$(grep -c '^WRONG: ' <<<"$output")" -eq 1 ]
	grep -qx 'WRONG: lib/same-2' <<<"$output"
	grep -q 'Do not mount this image in a domain' <<<"$output"
}

# grep_bytes FILE IMAGE: print where the first 64 bytes of FILE lie in IMAGE.
grep_bytes()
{
	python3 -c 'import sys; print(open(sys.argv[2], "rb").read().index(open(sys.argv[1], "rb").read()[:64]))' "$@"
}

@test "check finds fingerprints that lie and files without one" {
	run --separate-stderr "$tool" check "$("$top/scripts/images/test-images")/hostile-a.erofs"
	[ "$status" -eq 1 ]
	grep -q '9 files, 0 with the right fingerprint (user.fingerprint)' <<<"$output"
	[ "$(sed -n 's/^missing: //p' <<<"$output")" = missing ]
	[ "$(sed -n 's/^unusable: //p' <<<"$output" | sort | paste -sd ' ')" = 'empty-fingerprint over-long over-long-too' ]
	[ "$(sed -n 's/^WRONG: //p' <<<"$output" | sort | paste -sd ' ')" = 'differs-before equal-before good longest size-clash' ]
}

@test "check reads data that is on another device" {
	image new "$fingerprints" --chunksize=4096 --blobdev="$dir/new.blob"
	"$tool" check --device "$dir/new.blob" "$dir/new.erofs"
	run --separate-stderr "$tool" check "$dir/new.erofs"
	[ "$status" -eq 2 ]
	one_line "--device="
}

@test "an ordinary user can check; without fsck.erofs it says what to install" {
	[ ! -x /usr/bin/fsck.erofs ] || skip "this machine has an fsck.erofs of its own"
	public=$(mktemp -d /tmp/erofs-share-test.XXXXXX)
	chmod 1777 "$public"
	cp "$tool" "$mkfs" "${mkfs%/*}/fsck.erofs" "$dir/old.erofs" "$dir/text.erofs" "$public"
	chmod a+rx "$public"/*
	as=(env TMPDIR="$public")
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --clear-groups env TMPDIR="$public")
	run --separate-stderr "${as[@]}" PATH="$public" "$public/erofs-share" check "$public/text.erofs"
	[ "$status" -eq 0 ]
	rm "$public/fsck.erofs"
	run --separate-stderr "${as[@]}" PATH="$public" "$public/erofs-share" check "$public/text.erofs"
	[ "$status" -eq 2 ]
	one_line "install erofs-utils"
	run --separate-stderr "${as[@]}" PATH="$public" "$public/erofs-share" check "$public/old.erofs"
	[ "$status" -eq 0 ]
}

# ordinary COMMAND...: run it as an ordinary user, with programs and images of the
# directory $public alone.
ordinary()
{
	local as=()

	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --clear-groups)
	run --separate-stderr "${as[@]}" env TMPDIR="$public" PATH="$public:/usr/bin:/bin" "$@"
}

# publish FILE...: copy them to $public, which every user may read.
publish()
{
	[ ! -x /usr/bin/fsck.erofs ] || skip "this machine has an fsck.erofs of its own"
	public=$(mktemp -d /tmp/erofs-share-test.XXXXXX)
	cp "$@" "$public"
	chmod a+rx "$public"/*
	chmod 1777 "$public"
}

@test "an ordinary user can check files that nobody may read" {
	mkdir -p "$trees/closed/sub"
	seed closed 5000 >"$trees/closed/sub/file"
	cp "$trees/closed/sub/file" "$trees/closed/other"
	# As mkfs.erofs of an ordinary user cannot read such files either, they
	# come from an archive.
	tar -C "$trees/closed" --mode=a-rwx -cf "$dir/closed.tar" other
	tar -C "$trees/closed" --mode=a=rx -rf "$dir/closed.tar" sub
	"$mkfs" --quiet --tar=f "$fingerprints" "$dir/closed.erofs" "$dir/closed.tar"
	publish "$tool" "${mkfs%/*}/fsck.erofs" "$dir/closed.erofs"
	ordinary "$public/erofs-share" check "$public/closed.erofs"
	[ "$status" -eq 0 ] || { echo "$output$stderr"; return 1; }
	[[ $output == *'2 files, 2 with the right fingerprint'* ]]
	[ -z "$(find "$public" -name 'erofs-share.*')" ]
}

@test "an fsck.erofs that is too old is named, and asked once" {
	cat >"$dir/fsck.erofs" <<-'EOF'
		#!/bin/sh
		echo "$@" >>"$TMPDIR/asked"
		echo "fsck.erofs 1.5"
		[ "$1" = -V ]
	EOF
	"$mkfs" --quiet -zlz4 "$dir/packed.erofs" "$trees/text"
	publish "$tool" "$dir/fsck.erofs" "$dir/packed.erofs" "$dir/text.erofs"
	ordinary "$public/erofs-share" check "$public/text.erofs"
	[ "$status" -eq 2 ]
	one_line "$public/fsck.erofs is of version 1.5, which is too old: 1.9 or newer is needed"
	[[ $stderr == *'run this as root, to have the kernel read'* ]]
	[ "$(cat "$public/asked")" = -V ]
	rm -f "$public/asked"
	ordinary "$public/erofs-share" estimate "$public/packed.erofs" "$public/packed.erofs"
	[ "$status" -eq 2 ]
	one_line "too old"
	[ "$(cat "$public/asked")" = -V ]
}

@test "what a command needs on a disk goes when it is stopped by a signal" {
	local signal pid

	mkdir -p "$dir/pipes" "$dir/large"
	head -c 3G /dev/zero >"$dir/large/file"
	"$mkfs" --quiet -zlz4 -C65536 "$fingerprints" "$dir/large.erofs" "$dir/large"
	rm "$dir/large/file"
	for signal in INT TERM HUP KILL; do
		# A shell in the background ignores SIGINT, and all do under nohup SIGHUP.
		TMPDIR=$dir/pipes env --default-signal "$tool" check --no-kernel "$dir/large.erofs" >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
		pid=$!
		for ((i = 0; i < 1000; i++)); do
			# Without pipes, it is only asked for its version.
			[ -z "$(find "$dir/pipes" -type p)" ] || [ -z "$(pgrep -P "$pid" -x fsck.erofs)" ] || break
			sleep 0.01
		done
		[ -n "$(find "$dir/pipes" -type p)" ] || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
		# Nothing of the image is there.
		[ -z "$(find "$dir/pipes" -type f)" ]
		reader=$(pgrep -P "$pid" -x fsck.erofs)
		kill -s "$signal" "$pid"
		run wait "$pid"
		for ((i = 0; i < 100; i++)); do
			[ -n "$(find "$dir/pipes" -mindepth 1)" ] || break
			sleep 0.1
		done
		[ -z "$(find "$dir/pipes" -mindepth 1)" ] || { echo "left by SIG$signal"; return 1; }
		# Its parent is gone: it may be left to be waited for.
		for ((i = 0; i < 100; i++)); do
			grep -q '^State:.[^ZX]' "/proc/$reader/status" 2>/dev/null || break
			sleep 0.1
		done
		[ "$i" -lt 100 ] || { echo "fsck.erofs outlives SIG$signal"; return 1; }
	done
	rm "$dir/large.erofs"
}

@test "--help fits a screen and names the commands" {
	run --separate-stderr "$tool" --help
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -le 22 ]
	for command in mount umount status estimate check; do
		grep -qE "^  $command " <<<"$output"
		run --separate-stderr "$tool" "$command" --help
		[ "$status" -eq 0 ]
		[ "${#lines[@]}" -le 22 ]
		[ "$(awk '{ print length }' <<<"$output" | sort -n | tail -n 1)" -le 100 ]
		run --separate-stderr "$tool" --help
	done
}

@test "mount and umount run the helper and umount(8)" {
	mkdir -p "$dir/bin"
	for program in mount umount; do
		printf '#!/bin/sh\necho %s "$@"\nexit 32\n' "$program" >"$dir/bin/$program"
		chmod +x "$dir/bin/$program"
	done
	PATH=$dir/bin:$PATH run "$tool" mount -o domain_id_file=/etc/domain,ro image.erofs /mnt
	[ "$status" -eq 32 ]
	[ "$output" = "mount -t erofs-share -o domain_id_file=/etc/domain,ro image.erofs /mnt" ]
	PATH=$dir/bin:$PATH run "$tool" umount /mnt
	[ "$status" -eq 32 ]
	[ "$output" = "umount /mnt" ]
}

@test "the manual documents every command, option and member of the JSON" {
	manual=$(man -l "$top/Documentation/erofs-share.8" 2>/dev/null | col -b | tr -s ' \n' ' ') ||
		skip "no man(1)"
	for word in status estimate check --json --watch --interval --top --device --no-kernel --most-bytes foreign_bytes \
		resident_bytes saved_bytes bytes_with_sharing has_fingerprints first_size declares_fingerprints \
		missing_files ambiguous_files unusable_files; do
		grep -qF -e "$word" <<<"$manual" || { echo "no '$word'"; return 1; }
	done
}
