#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# erofs-share fingerprint: what it makes, what it refuses, and that nothing is left
# of what it could not complete. That the trees are one is for the guest
# (tests/tools/fingerprint_image_test.cpp).

load common

setup_file()
{
	export tool=$top/build/harness/erofs-share
	utils=$("$top/scripts/images/erofs-utils")
	# Where everybody can come, as mkfs.erofs runs as nobody.
	public=$(mktemp -d /tmp/erofs-share-test.XXXXXX)
	chmod 1777 "$public"
	export public
	cp "$utils"/{mkfs,fsck,dump}.erofs "$tool" "$public"
	chmod a+rx "$public"/*
	export PATH=$public:$PATH mkfs=$public/mkfs.erofs
	export named=--xattr-inode-digest=trusted.erofs.fingerprint
	archive
	"$mkfs" --quiet --tar=f -b4096 "$public/bare.erofs" "$public/tree.tar"
	"$mkfs" --quiet --tar=f -b4096 "$named" "$public/stale.erofs" "$public/tree.tar"
	"$mkfs" --quiet --tar=f -b4096 -zlz4 "$public/packed.erofs" "$public/tree.tar"
}

teardown_file()
{
	rm -rf "$public"
}

# archive: make tree.tar, with attributes, links, devices, and a fingerprint that
# is another file's.
archive()
{
	python3 -c 'import io, random, sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    def add(name, data=None, **more):
        info = tarfile.TarInfo(name)
        info.mtime = 1700000000.125
        for key, value in more.items():
            setattr(info, key, value)
        info.size = len(data or b"")
        tar.addfile(info, io.BytesIO(data or b""))
    add("bin", type=tarfile.DIRTYPE, mode=0o750, uid=5, gid=70000)
    stale = "sha256:" + "s" * 32
    for name in ["bin/tool", "bin/other", "a file\nof two lines", "-rf"]:
        add(name, random.Random(name).randbytes(30000), mode=0o4755, pax_headers={
            "SCHILY.xattr.trusted.erofs.fingerprint": stale, "SCHILY.xattr.user.note": name})
    add("zeroes", bytes(2000000))
    add("link", type=tarfile.LNKTYPE, linkname="bin/tool")
    add("symlink", type=tarfile.SYMTYPE, linkname="bin/tool")
    add("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
    add("whiteout", type=tarfile.CHRTYPE)
    add("fifo", type=tarfile.FIFOTYPE)' "$public/tree.tar"
}

setup()
{
	dir=$(mktemp -d "$public/test.XXXXXX")
	chmod 777 "$dir"
}

# fingerprint ARGUMENT...: run it; nothing but a complete image is ever left.
fingerprint()
{
	run --separate-stderr "$tool" fingerprint "$@"
	nothing_left
}

nothing_left()
{
	local left

	left=$(find "$dir" -name '.erofs-share*')
	[ -z "$left" ] || { echo "left: $left"; return 1; }
}

# refused TEXT: fail unless nothing was made, and the last line of errors has TEXT.
refused()
{
	[ "$status" -eq 2 ] || { echo "exit status $status: $output$stderr"; return 1; }
	[[ ${stderr_lines[-1]} == *"$1"* ]] ||
		{ printf 'expected "%s", got: %s\n' "$1" "${stderr_lines[-1]}"; return 1; }
	[ ! -e "$dir/new.erofs" ]
}

@test "an image without fingerprints gets right ones" {
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	[ "$status" -eq 0 ]
	[[ $output == *"new.erofs: 5 files with fingerprints"* ]]
	"$tool" check "$dir/new.erofs" | grep -q '5 files, 5 with the right fingerprint (erofs.fingerprint.v1, hidden)'
}

@test "stale and ambiguous fingerprints go, and other attributes stay" {
	run "$tool" check "$public/stale.erofs"
	[ "$(grep -c ^ambiguous: <<<"$output")" -eq 4 ]
	fingerprint "$public/stale.erofs" "$dir/new.erofs"
	[ "$status" -eq 0 ]
	grep -qx '9 old fingerprints were left out.' <<<"$output"
	"$tool" check "$dir/new.erofs"
	grep -aq "s\{32\}" "$public/stale.erofs"
	run grep -aq "s\{32\}" "$dir/new.erofs"
	[ "$status" -eq 1 ]
	grep -aq 'notebin/tool' "$dir/new.erofs"
}

@test "mkfs.erofs gets the options behind --" {
	fingerprint "$public/bare.erofs" "$dir/new.erofs" -- -zlz4hc -C65536 "$named"
	[ "$status" -eq 0 ]
	[ "$(stat -c %s "$dir/new.erofs")" -lt 300000 ]
	"$tool" check "$dir/new.erofs" | grep -q '(trusted.erofs.fingerprint)'
	[[ $output != *'is compressed'* ]]

	fingerprint "$public/packed.erofs" "$dir/plain.erofs"
	[ "$status" -eq 0 ]
	grep -q 'packed.erofs is compressed, and this is not' <<<"$output"
}

@test "the block size and the label of the old image are kept, its UUID is not" {
	"$mkfs" --quiet --tar=f -b1024 -L a-label "$dir/old.erofs" "$public/tree.tar"
	fingerprint "$dir/old.erofs" "$dir/new.erofs"
	[ "$status" -eq 0 ]
	fingerprint "$dir/old.erofs" "$dir/other.erofs" -- -b512 -L other
	[ "$status" -eq 0 ]
	super "$dir/old.erofs" "$dir/new.erofs" "$dir/other.erofs"
	[ "${block[*]}" = "10 10 9" ]
	[ "${label[*]}" = "a-label a-label other" ]
	[ "${uuid[0]}" != "${uuid[1]}" ]
}

# super IMAGE...: leave in $block, $label and $uuid what superblocks say.
super()
{
	local image

	block=() label=() uuid=()
	for image; do
		block+=("$(dd if="$image" bs=1 skip=1036 count=1 status=none | od -An -tu1 | tr -d ' ')")
		uuid+=("$(dd if="$image" bs=1 skip=1072 count=16 status=none | od -An -tx1)")
		label+=("$(dd if="$image" bs=1 skip=1088 count=16 status=none | tr -d '\0')")
	done
}

@test "holes of an image with chunks stay holes" {
	"$mkfs" --quiet --tar=f -b4096 --chunksize=4096 "$dir/old.erofs" "$public/tree.tar"
	fingerprint "$dir/old.erofs" "$dir/new.erofs"
	[ "$status" -eq 0 ]
	[ "$(stat -c %s "$dir/new.erofs")" -lt 300000 ]
}

@test "data on other devices comes into the new image" {
	"$mkfs" --quiet --tar=f -b4096 --chunksize=4096 --blobdev="$dir/blob" "$dir/old.erofs" "$public/tree.tar"
	fingerprint "$dir/old.erofs" "$dir/new.erofs"
	refused 'it has data on 1 extra devices, and --device=FILE is there 0 times'
	fingerprint --device "$dir/blob" "$dir/old.erofs" "$dir/new.erofs"
	[ "$status" -eq 0 ]
	rm "$dir/blob"
	"$tool" check "$dir/new.erofs"
}

@test "an ordinary user can make one" {
	as=()
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${as[@]}" env TMPDIR="$dir" "$public/erofs-share" fingerprint "$public/stale.erofs" "$dir/new.erofs"
	"$tool" check "$dir/new.erofs"
	nothing_left
}

@test "each step is a line, and on a terminal there is a bar" {
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	[ "${#stderr_lines[@]}" -ge 4 ]
	[[ $stderr != *$'\r'* ]]
	run script -qec "'$tool' fingerprint '$public/bare.erofs' '$dir/bar.erofs'" /dev/null
	[ "$status" -eq 0 ]
	grep -q '\[#*\.*\] .* of ' <<<"$output"
}

@test "names that exist, that are no image, and old programs are told" {
	echo mine >"$dir/new"
	fingerprint "$public/bare.erofs" "$dir/new"
	[[ $stderr == *"$dir/new: something is there already"* ]]
	[ "$(cat "$dir/new")" = mine ]
	ln -s nowhere "$dir/dangling"
	fingerprint "$public/bare.erofs" "$dir/dangling"
	[[ $stderr == *"something is there already"* ]]
	fingerprint "$public/tree.tar" "$dir/new.erofs"
	refused "$public/tree.tar: expected an erofs image"
	fingerprint "$public/bare.erofs" "$dir/nowhere/new.erofs"
	refused "$dir/nowhere"
	fingerprint "$public/bare.erofs" "$dir/new.erofs" -- a-file
	refused 'a-file: expected options of mkfs.erofs behind --'

	fake 'echo "mkfs.erofs 1.5"'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused "too old (mkfs.erofs 1.5); install erofs-utils 1.9.2 or newer"
	rm "$dir/bin/mkfs.erofs"
	PATH=/usr/bin:/bin fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'mkfs.erofs is needed'
}

# fake COMMANDS: let a script be the mkfs.erofs that is found; it has $real.
fake()
{
	mkdir -p "$dir/bin"
	printf '#!/bin/bash\nreal=%q\n[ "$1" != -V ] || exec "$real" -V\n%s\n' "$mkfs" "$1" >"$dir/bin/mkfs.erofs"
	[[ $1 != echo* ]] || printf '#!/bin/bash\n%s\n' "$1" >"$dir/bin/mkfs.erofs"
	chmod a+rx "$dir/bin" "$dir/bin/mkfs.erofs"
	PATH=$dir/bin:$PATH
}

@test "what cannot be kept is refused with the file's name" {
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/socket"
	mkdir "$dir/tree"
	mv "$dir/socket" "$dir/tree/a-socket"
	"$mkfs" --quiet "$dir/old.erofs" "$dir/tree"
	fingerprint "$dir/old.erofs" "$dir/new.erofs"
	refused 'a-socket cannot be kept: it is a socket'
}

@test "options that would change the tree are refused, and name a file" {
	fingerprint "$public/bare.erofs" "$dir/new.erofs" -- --all-root
	refused 'the tree would not be the same: bin, owner differs'
	fingerprint "$public/bare.erofs" "$dir/new.erofs" -- -T0
	refused 'modification time differs'
	fingerprint "$public/bare.erofs" "$dir/new.erofs" -- --uid-offset=1
	refused "owner differs"
	fingerprint "$public/bare.erofs" "$dir/new.erofs" -- --hard-dereference
	[ "$status" -eq 2 ] || "$tool" check "$dir/new.erofs"
}

@test "a mkfs.erofs that fails, or writes something else, leaves nothing" {
	fake 'head -c 100000 >/dev/null; echo "<E> erofs: no more ideas" >&2; exit 1'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'exit status 1 (<E> erofs: no more ideas)'

	# Of an option that it has not, that, and not what comes of it.
	fake 'exec "$real" "$@"'
	fingerprint "$public/bare.erofs" "$dir/new.erofs" -- --bogus
	refused 'unrecognized option '

	fake 'exit 0'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	[ "$status" -eq 2 ]
	[ ! -e "$dir/new.erofs" ]

	# One byte of one file, in transit.
	fake 'python3 -c "import sys
data = bytearray(sys.stdin.buffer.read())
data[len(data) // 2] ^= 1
sys.stdout.buffer.write(data)" | "$real" "$@"'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'zeroes, contents differs'
}

@test "mkfs.erofs runs without root's rights, and ends with who started it" {
	fake 'grep -E "^(Uid|Gid|Groups|NoNewPrivs|CapEff)" /proc/self/status | tr "\t\n" "  " >&2; exit 1'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'NoNewPrivs: 1'
	[[ $stderr == *'CapEff: 0000000000000000'* ]]
	[[ $stderr != *'Uid: 0 '* ]]
	[[ $stderr != *'Gid: 0 '* ]]
}

@test "mkfs.erofs takes no more than the tree can need" {
	fake 'awk "/^Max (cpu time|file size|address space|core|open)/ { print \$1, \$2, \$(NF - 1) }" /proc/self/limits | tr "\n" " " >&2; exit 1'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'Max cpu 36'
	[[ $stderr != *unlimited* ]]
	# An endless image, and endless words.
	fake 'cat >/dev/null; exec head -c 1000000000 /dev/zero >&3'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'File too large'
	fake 'cat >/dev/null; timeout 20 yes "<E> more" >&2; exit 3'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'exit status 3 (<E> more)'
}

@test "an image that another process can still write to is not taken" {
	local at=$dir/at

	[ "$(id -u)" -eq 0 ] || skip "only root has another user for it"
	touch "$at"
	chmod 666 "$at"
	fake '"$real" "$@" || exit 1
chmod 777 . image
stat -c %a . >'"$at"'
sleep 4 >/dev/null 2>&1 </dev/null 9>&- &
exit 0'
	fingerprint "$public/bare.erofs" "$dir/new.erofs"
	refused 'a process has its file open for writing'
	[ "$(head -1 "$at")" = 777 ]
}

# stopped_by SIGNAL TEXT: start fingerprint, wait for the step TEXT, and end it.
stopped_by()
{
	local pid i

	rm -f "$dir/steps"
	# The shell lets what it starts aside ignore some of them.
	env --default-signal "$tool" fingerprint "$public/packed.erofs" "$dir/new.erofs" >"$dir/out" 2>"$dir/steps" 3>&- &
	pid=$!
	for ((i = 0; i < 300; i++)); do
		! grep -qs "$2" "$dir/steps" || break
		sleep 0.1
	done
	grep -q "$2" "$dir/steps"
	sleep 0.3
	kill -"$1" "$pid"
	wait "$pid" || true
	for ((i = 0; i < 100; i++)); do
		[ -n "$(find "$dir" -name '.erofs-share*')" ] || pgrep -f "$dir/bin" >/dev/null || break
		sleep 0.1
	done
	nothing_left
	[ ! -e "$dir/new.erofs" ]
	run pgrep -f "$dir/bin"
	[ "$status" -eq 1 ] || { echo "still running: $output"; return 1; }
}

@test "a signal at any step leaves nothing, and no process" {
	for signal in TERM INT HUP KILL; do
		fake 'sleep 1000 & wait'
		stopped_by "$signal" 'reading .* in 5 files'
		fake 'head -c 1000 >/dev/null; sleep 1000 & wait'
		stopped_by "$signal" 'reading .* in 5 files'
		fake 'cat >/dev/null; sleep 1000 & wait'
		stopped_by "$signal" 'mkfs.erofs writes it'
		pkill -P 1 -f '^sleep 1000$' || true
	done
}

@test "check names this command, which can be followed to the letter" {
	cp "$public/stale.erofs" "$dir/it's old
.erofs"
	cd "$dir"
	run "$tool" check "it's old
.erofs"
	[ "$status" -eq 1 ]
	command=$(sed -n 's/^    //p' <<<"$output")
	[[ $command == erofs-share\ fingerprint\ * ]]
	bash -c "${command/NEW-IMAGE/new.erofs}"
	"$tool" check new.erofs

	"$mkfs" --quiet --tar=f -b4096 --chunksize=4096 --blobdev="$dir/a blob" "$dir/-old" "$public/tree.tar"
	run "$tool" check --device "a blob" ./-old
	command=$(sed -n 's/^    //p' <<<"$output")
	bash -c "${command/NEW-IMAGE/again.erofs}"
	"$tool" check again.erofs
}

@test "nanoseconds stay, also of what was changed in the second in which NEW is made" {
	local i

	mkdir "$dir/tree"
	# One of these is that second, however long it takes to come there.
	for ((i = 0; i < 20; i++)); do
		echo "$i" >"$dir/tree/$i"
		touch -d "@$(($(date +%s) + i)).123456789" "$dir/tree/$i"
	done
	"$mkfs" --quiet -Eforce-inode-extended "$dir/old.erofs" "$dir/tree"
	fingerprint "$dir/old.erofs" "$dir/new.erofs"
	[ "$status" -eq 0 ]
}
