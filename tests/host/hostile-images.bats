#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What check and estimate do with images that somebody made to hurt who looks at
# them, as root and as an ordinary user: nothing is written, nothing is waited for,
# memory and time are bounded, and what is damaged is called so.

load common

setup_file()
{
	local utils

	utils=$("$top/scripts/images/erofs-utils")
	export dir=$BATS_FILE_TMPDIR mkfs=$utils/mkfs.erofs hidden=--xattr-inode-digest
	# Programs and images where nobody can read them.
	public=$(mktemp -d /tmp/erofs-share-test.XXXXXX)
	export public tool=$public/bin/erofs-share
	mkdir -p "$public"/{bin,empty}
	cp "$top/build/harness/erofs-share" "$utils"/{fsck,dump,mkfs}.erofs "$public/bin"
	chmod 755 "$public" "$public/bin"
	chmod 1777 "$public/empty"
	export PATH=$public/bin:$PATH TMPDIR=$public/empty
}

teardown_file()
{
	rm -rf "$public"
}

teardown()
{
	# Whatever a test did, no image left a name on a disk.
	[ -z "$(find "$public/empty" -mindepth 1)" ] || { find "$public/empty"; return 1; }
}

# image NAME OPTION...: make $public/NAME.erofs of the tree $dir/NAME.
image()
{
	"$mkfs" --quiet -T1 "${@:2}" "$public/$1.erofs" "$dir/$1"
	chmod a+r "$public/$1.erofs"
}

# users: who can be asked to run something here.
users()
{
	if [ "$(id -u)" -eq 0 ]; then echo root nobody; else echo self; fi
}

# as USER COMMAND...: run it as that user, for a minute at most and in 700 MB.
as()
{
	local how=()

	[ "$1" != nobody ] || how=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	(ulimit -v 700000 && exec timeout 60 "${how[@]}" "${@:2}")
}

# both STATUS TEXT ARGUMENT...: erofs-share with these arguments ends so for each
# user, and says one line with TEXT where it fails.
both()
{
	local user

	for user in $(users); do
		run --separate-stderr as "$user" "$tool" "${@:3}"
		[ "$status" -eq "$1" ] || { echo "$user: status $status: $output$stderr"; return 1; }
		[ "$1" -ne 2 ] || one_line "$2" || return
		[[ $output$stderr == *"$2"* ]] || { echo "$user: $output$stderr"; return 1; }
	done
}

# inode IMAGE PATH OFFSET FORMAT VALUE: write to the inode of PATH, as Python's
# struct has it. The kernel and fsck.erofs then see no checksum to compare.
inode()
{
	local nid

	nid=$(dump.erofs --path="$2" "$1" | sed -n 's/^NID: \([0-9]*\) .*/\1/p')
	poke "$1" meta "$((nid * 32 + $3))" "$4" "$5"
}

# poke IMAGE super|meta OFFSET FORMAT VALUE: write to the superblock, or behind the
# begin of the inodes.
poke()
{
	python3 -c 'import struct, sys
name, base, offset, form, value = sys.argv[1:]
with open(name, "r+b") as image:
    image.seek(1024)
    block = bytearray(image.read(128))
    block[8] &= ~1
    image.seek(1024)
    image.write(block)
    start = 1024 if base == "super" else struct.unpack_from("<I", block, 40)[0] << block[12]
    image.seek(start + int(offset))
    image.write(struct.pack(form, int(value, 0)))' "$@"
}

# bytes IMAGE OLD NEW: replace the only occurrence of OLD, both Python literals.
bytes()
{
	python3 -c 'import ast, sys
old, new = (ast.literal_eval(a) for a in sys.argv[2:])
data = open(sys.argv[1], "rb").read()
assert data.count(old) == 1 and len(old) == len(new), data.count(old)
open(sys.argv[1], "wb").write(data.replace(old, new))' "$@"
}

# random BYTES
random() { head -c "$1" /dev/urandom; }
# text BYTES: what can be compressed.
text() { seq 1 9999999 | head -c "$1"; }

@test "setuid programs, devices and deep trees are read, and are nowhere" {
	local depth=$dir/deep/d i

	mkdir -p "$dir/deep"
	for i in {1..16}; do text 20000 >"$dir/deep/tool-$i"; chmod 6755 "$dir/deep/tool-$i"; done
	[ "$(id -u)" -ne 0 ] || mknod "$dir/deep/device" c 1 3
	for i in {1..900}; do depth+=/d; done
	mkdir -p "$depth"
	text 9000 >"$depth/file"
	image deep "$hidden" -zlz4
	both 0 '17 files, 17 with the right fingerprint' check "$public/deep.erofs"
	both 0 '17 files, 17 with the right fingerprint' check --no-kernel "$public/deep.erofs"
}

@test "names with NUL, with a slash, or of nothing are damage" {
	local name

	mkdir -p "$dir/names"
	text 9000 >"$dir/names/..Ax"
	text 9000 >"$dir/names/zzzz"
	image names "$hidden" -zlz4
	for name in 'b"..\0x"' 'b"../x"' 'b".../"' 'b"\0.Ax"'; do
		image names "$hidden" -zlz4
		bytes "$public/names.erofs" 'b"..Ax"' "$name"
		both 2 'damaged image, a' check "$public/names.erofs"
		both 2 'damaged image, a' estimate "$public/names.erofs" "$public/names.erofs"
	done
}

@test "sizes that the image cannot have are damage, or more than is read" {
	local size

	mkdir -p "$dir/size"
	text 9000 >"$dir/size/file"
	for size in 0x80000000 0x80000000000 0x7fffffffffffffff 0x8000000000000000 0xffffffffffffffff; do
		image size "$hidden" -Eforce-inode-extended
		inode "$public/size.erofs" /file 8 '<Q' "$size"
		both 2 'damaged image' check "$public/size.erofs"
		image size -Eforce-inode-extended
		inode "$public/size.erofs" /file 8 '<Q' "$size"
		both 2 'damaged image' estimate "$public/size.erofs" "$public/size.erofs"
	done
	image size "$hidden" -zlz4 -Eforce-inode-extended
	inode "$public/size.erofs" /file 8 '<Q' 0x80000000000
	both 2 '--most-bytes=8796093022208' check "$public/size.erofs"
	# A sparse file may be as large as it likes, but is not read for a week.
	rm "$dir/size/file"
	truncate -s 1M "$dir/size/file"
	image size "$hidden" --chunksize=1048576 -Eforce-inode-extended
	both 0 'right fingerprint' check "$public/size.erofs"
	inode "$public/size.erofs" /file 16 '<H' 0x1f
	inode "$public/size.erofs" /file 8 '<Q' 0x80000000000
	both 2 '--most-bytes=8796093022208' check "$public/size.erofs"
}

@test "data behind the end of an image is damage, whatever lies there" {
	mkdir -p "$dir/end"
	head -c 4096 /dev/zero >"$dir/end/zeroes"
	text 9000 >"$dir/end/file"
	image end "$hidden" -E^inline_data
	both 0 'right fingerprint' check "$public/end.erofs"
	inode "$public/end.erofs" /zeroes 16 '<I' 0x100000
	both 2 'damaged image, data behind the end of the image of zeroes' check "$public/end.erofs"
	image end "$hidden" --chunksize=4096
	bytes "$public/end.erofs" 'b"\xff\xff\xff\xff"' 'b"\xff\xff\xff\x0f"' || true
	image end "$hidden" --chunksize=4096 -Eforce-chunk-indexes
	truncate -s -4096 "$public/end.erofs"
	both 2 'damaged image' check "$public/end.erofs"
}

@test "compressed data behind the end of an image is not made up" {
	mkdir -p "$dir/cut"
	random 40000 >"$dir/cut/random"
	truncate -s 80000 "$dir/cut/random"
	random 40000 >>"$dir/cut/random"
	image cut "$hidden" -zlz4
	both 0 'right fingerprint' check "$public/cut.erofs"
	truncate -s -8192 "$public/cut.erofs"
	for user in $(users); do
		for option in '' --no-kernel; do
			# shellcheck disable=SC2086 # an option or none
			run --separate-stderr as "$user" "$tool" check $option "$public/cut.erofs"
			[ "$status" -eq 2 ]
			[[ $output$stderr == *'damaged image'* || $output == *'not compared: random'* ]]
		done
	done
}

@test "a packed inode of four terabytes gives its table of names, and no more" {
	mkdir -p "$dir/packed"
	text 9000 >"$dir/packed/file"
	image packed --xattr-inode-digest=trusted.erofs.fingerprint -zlz4 -Eall-fragments,force-inode-extended
	nid=$(python3 -c 'import struct, sys
print(struct.unpack_from("<Q", open(sys.argv[1], "rb").read(), 1024 + 96)[0])' "$public/packed.erofs")
	poke "$public/packed.erofs" meta $((nid * 32 + 8)) '<Q' 0x40000000000
	for user in $(users); do
		run --separate-stderr as "$user" "$tool" check "$public/packed.erofs"
		# fsck.erofs does not ask for that size, a kernel may.
		echo "$user: status $status: $output$stderr"
		[ "$status" -eq 0 ] || [ "$status" -eq 2 ]
		[[ $output == *'1 files'*'(trusted.erofs.fingerprint)'* ]]
	done
}

@test "a chain of directories with long names ends at the longest path" {
	local name path=$dir/chain i

	name=$(printf 'n%.0s' {1..250})
	mkdir -p "$path"
	for ((i = 0; i < 15; i++)); do path+=/$name; done
	mkdir -p "$path"
	text 100 >"$path/file"
	image chain "$hidden"
	both 0 '1 files, 1 with the right' check "$public/chain.erofs"
	# mkfs.erofs takes no longer path; an archive has one.
	python3 - "$dir/chain.tar" "$name" <<-'END'
		import io, sys, tarfile
		with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
		    for depth in range(1, 40):
		        info = tarfile.TarInfo("/".join([sys.argv[2]] * depth))
		        info.type = tarfile.DIRTYPE
		        tar.addfile(info)
	END
	if "$mkfs" --quiet --tar=f "$hidden" "$public/chain.erofs" "$dir/chain.tar"; then
		chmod a+r "$public/chain.erofs"
		both 2 'File name too long' check "$public/chain.erofs"
	fi
}

@test "a FIFO, a socket or a directory is no image, and nobody waits" {
	mkfifo "$public/fifo.erofs"
	chmod a+rw "$public/fifo.erofs"
	both 2 "$public/fifo.erofs: expected an erofs image" check "$public/fifo.erofs"
	both 2 "$public/fifo.erofs: expected an erofs image" estimate "$public/fifo.erofs" "$public/fifo.erofs"
	both 2 "/dev/null: expected an erofs image" check /dev/null
	both 2 "$public/bin: expected an erofs image" check "$public/bin"
	mkdir -p "$public/tree"
	mkfifo "$public/tree/fifo"
	text 9000 >"$public/tree/file"
	both 0 saved estimate "$public/tree" "$public/tree"
}

# probe: a fsck.erofs that tries what one that an image has taken over would, and
# says what it could do.
probe()
{
	mkdir -p "$public/probe"
	cat >"$dir/probe.c" <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <signal.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/ptrace.h>
		#include <sys/resource.h>
		#include <sys/socket.h>
		#include <sys/stat.h>
		#include <unistd.h>

		static void say(const char *what, int worked) { fprintf(stderr, " %s=%s", what, worked ? "YES" : "no"); }

		int main(int argc, char **argv)
		{
			struct rlimit most;
			char image[4];
			int file;

			if (argc == 2 && !strcmp(argv[1], "-V"))
				return puts("fsck.erofs (erofs-utils) 1.9.4") < 0;
			fprintf(stderr, "root=%d", getuid() == 0 || geteuid() == 0 || getgid() == 0 || setuid(0) == 0);
			say("groups", getgroups(0, NULL) > 0);
			say("socket", socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
			say("fork", fork() >= 0);
			say("kill", kill(getppid(), 0) == 0);
			say("trace", ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0);
			say("make", open("new", O_WRONLY | O_CREAT, 0644) >= 0 || open("/tmp/erofs-share-probe", O_WRONLY | O_CREAT, 0644) >= 0);
			say("write", open(getenv("PROBE") ? getenv("PROBE") : argv[0], O_WRONLY) >= 0);
			say("mkdir", mkdir("sub", 0755) == 0 || symlink("a", "b") == 0);
			say("chmod", chmod("..", 0777) == 0 || chmod(".", 0777) == 0);
			say("passwd", open("/etc/passwd", O_RDONLY) >= 0);
			say("descriptors", fcntl(4, F_GETFD) >= 0);
			say("core", getrlimit(RLIMIT_CORE, &most) != 0 || most.rlim_max != 0);
			say("endless", getrlimit(RLIMIT_AS, &most) != 0 || most.rlim_max == RLIM_INFINITY);
			file = open("/proc/self/fd/3", O_RDONLY);
			fprintf(stderr, " image=%s\n", file >= 0 && read(file, image, 4) == 4 ? "read" : "NO");
			return 1;
		}
	END
	gcc -o "$public/probe/fsck.erofs" "$dir/probe.c" -include stdlib.h
	chmod 755 "$public/probe" "$public/probe/fsck.erofs"
}

@test "the program that reads compressed files can do nothing else" {
	local user

	command -v gcc >/dev/null || skip "no gcc"
	probe
	mkdir -p "$dir/probed"
	text 9000 >"$dir/probed/file"
	image probed "$hidden" -zlz4
	for user in $(users); do
		run --separate-stderr env PATH="$public/probe:$PATH" "${BASH:-bash}" -c '
			how=()
			[ "$1" != nobody ] || how=(setpriv --reuid 65534 --regid 65534 --clear-groups)
			exec "${how[@]}" "${@:2}"' - "$user" "$tool" check --no-kernel "$public/probed.erofs"
		[ "$status" -eq 2 ]
		[ -z "$stderr" ] || skip "this system cannot confine programs: $stderr"
		[[ $output == *'root=0 groups=no socket=no fork=no kill=no trace=no make=no write=no mkdir=no chmod=no passwd=no descriptors=no core=no endless=no image=read'* ]] ||
			{ echo "$user: $output"; return 1; }
		[ ! -e /tmp/erofs-share-probe ]
	done
}

@test "sparse files take no space" {
	mkdir -p "$dir/sparse"
	truncate -s 1G "$dir/sparse/file"
	printf x | dd of="$dir/sparse/file" conv=notrunc bs=1 seek=500M status=none
	image sparse --chunksize=1048576
	[ "$(stat -c %s "$public/sparse.erofs")" -lt 3000000 ]
	# Not a byte may be written to a file.
	run --separate-stderr bash -c 'ulimit -f 0 && exec "$@"' - "$tool" estimate --json "$public/sparse.erofs" "$public/sparse.erofs"
	[ "$status" -eq 0 ]
	[ "$(jq .saved_bytes <<<"$output")" -eq $((1 << 30)) ]
}

@test "standard descriptors that are closed are no file's" {
	local pid i

	mkdir -p "$dir/slow"
	truncate -s 2G "$dir/slow/file"
	image slow --chunksize=1048576 "$hidden"
	"$tool" check "$public/slow.erofs" <&- >&- 2>&- 3>&- &
	pid=$!
	for ((i = 0; i < 1000; i++)); do
		[ -z "$(find "/proc/$pid/fd" -lname '*slow.erofs')" ] || break
		sleep 0.01
	done
	for i in 0 1 2; do [ "$(readlink "/proc/$pid/fd/$i")" = /dev/null ]; done
	kill -TERM "$pid"
	run wait "$pid"
}

# loops_of FILE: names of the loop devices over it.
loops_of() { grep -lFx "$1" /sys/block/loop*/loop/backing_file 2>/dev/null || true; }

@test "the kernel's mount is attached nowhere, and is gone after any signal" {
	local signal pid i

	[ "$(id -u)" -eq 0 ] || skip "only root mounts"
	mkdir -p "$dir/mounted"
	head -c 1G /dev/zero >"$dir/mounted/file"
	image mounted "$hidden" -zlz4 -C65536
	rm -r "$dir/mounted"
	run --separate-stderr "$tool" check "$public/mounted.erofs"
	[ "$status" -eq 0 ]
	for signal in INT TERM HUP KILL; do
		env --default-signal "$tool" check "$public/mounted.erofs" >/dev/null 2>&1 3>&- &
		pid=$!
		for ((i = 0; i < 200; i++)); do
			[ -z "$(loops_of "$public/mounted.erofs")" ] || break
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.02
		done
		[ -n "$(loops_of "$public/mounted.erofs")" ] || skip "this machine mounts nothing"
		! grep -q erofs-share "/proc/$pid/mountinfo"
		[ "$(grep -c ' - erofs ' "/proc/$pid/mountinfo")" -eq "$(grep -c ' - erofs ' /proc/self/mountinfo)" ]
		kill -s "$signal" "$pid"
		run wait "$pid"
		for ((i = 0; i < 100; i++)); do
			[ -n "$(loops_of "$public/mounted.erofs")" ] || break
			sleep 0.1
		done
		[ -z "$(loops_of "$public/mounted.erofs")" ] || { echo "left by SIG$signal"; return 1; }
	done
}

@test "data that was appended to an image is read as the kernel reads it" {
	mkdir -p "$dir/appended"
	text 90000 >"$dir/appended/file"
	tar -C "$dir/appended" -cf "$dir/appended.tar" file
	"$mkfs" --quiet --tar=i "$public/appended.erofs" "$dir/appended.tar"
	image appended "$hidden"
	mv "$public/appended.erofs" "$public/whole.erofs"
	"$mkfs" --quiet --tar=i "$public/appended.erofs" "$dir/appended.tar"
	chmod a+r "$public"/*.erofs
	both 2 'mount it and name the directory' estimate "$public/appended.erofs" "$public/whole.erofs"
	cat "$dir/appended.tar" >>"$public/appended.erofs"
	both 0 saved estimate "$public/appended.erofs" "$public/whole.erofs"
	[ "$("$tool" estimate --json "$public/appended.erofs" "$public/whole.erofs" | jq .saved_bytes)" -eq 90112 ]
}

@test "forms that are not read are named in one line" {
	mkdir -p "$dir/forms/sub"
	text 9000 >"$dir/forms/sub/file"
	image forms "$hidden" -E48bit
	both 2 "$public/forms.erofs: it has block numbers of 48 bits (mkfs.erofs -E48bit), which this version does not read" check "$public/forms.erofs"
	if image forms "$hidden" -zlz4 --zD 2>/dev/null; then
		run --separate-stderr "$tool" check "$public/forms.erofs"
		[ "$status" -eq 0 ] || one_line 'compressed directories (mkfs.erofs --zD)'
	fi
	if image forms "$hidden" -Edot-omitted 2>/dev/null; then
		run --separate-stderr "$tool" check "$public/forms.erofs"
		[ "$status" -eq 0 ] || one_line 'which this version does not read'
	fi
}

@test "a directory that cannot be listed is named" {
	mkdir -p "$public/closed/sub/secret"
	text 9000 >"$public/closed/file"
	chmod 0 "$public/closed/sub/secret"
	if [ "$(id -u)" -eq 0 ]; then user=nobody; else user=self; fi
	run --separate-stderr as "$user" "$tool" estimate "$public/closed" "$public/closed"
	[ "$status" -eq 2 ]
	one_line "$public/closed/sub/secret"
	rmdir "$public/closed/sub/secret"
}

# nested chunks|directories IMAGE: make one whose inodes have the same bytes in
# common: 2000 files with lists of 64 MiB of chunks that lie in each other, or 4000
# directories with the same 92000 entries.
nested()
{
	python3 -c 'import struct, sys
def inode(mode, size, layout, place=0):
    return struct.pack("<HHHHQIIIIQII16x", layout << 1 | 1, 0, mode, 0, size, place, 1, 0, 0, 0, 0, 9)
def block(pairs):
    head, names = b"", b""
    for name, nid in pairs:
        head += struct.pack("<QHBB", nid, 12 * len(pairs) + len(names), 0, 0)
        names += name
    return head + names
def blocks(pairs):
    return b"".join(block(pairs[i:i + 200]).ljust(4096, b"\0") for i in range(0, len(pairs), 200))
what, path = sys.argv[1:]
names = []
inodes = b""
first = 40000 if what == "chunks" else 200
shared = b""
if what == "chunks":
    for i in range(2000):
        names.append((b"f%05d" % i, 2 + 2 * i))
        inodes += inode(0x8000, 1 << 36, 4)
else:
    file = 2 + 4 * 4000
    shared = blocks([(b"%05x" % i, file) for i in range(92000)])
    for i in range(4000):
        nid = 2 + 4 * i
        names.append((b"d%05d" % i, nid))
        tail = block([(b".", nid), (b"..", 0)])
        inodes += inode(0x41ed, len(shared) + len(tail), 2, first) + tail.ljust(64, b"\0")
    inodes += inode(0x81a4, 5, 0, first)
root = blocks([(b".", 0), (b"..", 0)] + names)
at = first + len(shared) // 4096
end = 51200 if what == "chunks" else at + len(root) // 4096
with open(path, "wb") as image:
    image.truncate(end * 4096)
    image.seek(1024)
    image.write(struct.pack("<I8xBxH20xII", 0xe0f5e1e2, 12, 0, end, 1))
    image.seek(4096)
    image.write(inode(0x41ed, len(root), 0, at) + inodes)
    image.seek(first * 4096)
    image.write(shared + root)' "$1" "$2"
	chmod a+r "$2"
}

# not_remade TEXT IMAGE: fingerprint refuses IMAGE, and says TEXT behind its steps.
not_remade()
{
	local user

	for user in $(users); do
		run --separate-stderr as "$user" "$tool" fingerprint "$2" "$public/empty/new"
		[ "$status" -eq 2 ]
		[[ ${stderr_lines[-1]} == *"$1"* ]] || { echo "$user: $stderr"; return 1; }
	done
}

@test "what inodes have in common is not read for each of them" {
	nested chunks "$public/chunks.erofs"
	both 2 'more than is read of' estimate "$public/chunks.erofs" "$public/chunks.erofs"
	nested directories "$public/directories.erofs"
	both 2 'more names than an image of its size has' estimate "$public/directories.erofs" "$public/directories.erofs"
	not_remade 'more names than an image of its size has' "$public/directories.erofs"
}

@test "names without number of one file have no memory out of proportion" {
	local depth=$dir/linked i

	mkdir -p "$dir/linked"
	for i in {1..15}; do depth+=/$(printf 'd%.0s' {1..250}); done
	mkdir -p "$depth"
	python3 -c 'import os, sys
os.chdir(sys.argv[1])
open("0", "w").write("contents")
for i in range(1, 30000):
    os.link("0", "%x" % i)' "$depth"
	image linked
	[ "$(stat -c %s "$public/linked.erofs")" -lt 2000000 ]
	not_remade 'more paths than an image of its size needs' "$public/linked.erofs"
}

@test "a device in the place of the image's own blocks is damage: the kernel finds other bytes" {
	local block nid

	mkdir -p "$dir/border"
	random 40960 >"$dir/border/file"
	image border "$hidden"
	both 0 'right fingerprint' check "$public/border.erofs"
	nid=$(dump.erofs --path=/file "$public/border.erofs" | sed -n 's/^NID: \([0-9]*\) .*/\1/p')
	block=$(python3 -c 'import struct, sys
image = open(sys.argv[1], "rb").read()
print(struct.unpack_from("<I", image, struct.unpack_from("<I", image, 1064)[0] * 4096 + int(sys.argv[2]) * 32 + 16)[0])' "$public/border.erofs" "$nid")
	# A device that has what comes behind the file's second block.
	poke "$public/border.erofs" super 80 '<I' 8
	poke "$public/border.erofs" super 86 '<H' 1
	poke "$public/border.erofs" super 88 '<H' 2
	poke "$public/border.erofs" super -704 '<I' 100
	poke "$public/border.erofs" super -700 '<I' "$((block + 2))"
	random 409600 >"$public/device"
	chmod a+r "$public/device"
	both 2 'damaged image, device 1 has the place of blocks that are in the image' check --device "$public/device" "$public/border.erofs"
}

@test "pipes that cannot be made leave no directory" {
	[ "$(id -u)" -eq 0 ] || skip "only root gives pipes to others"
	command -v strace >/dev/null || skip "no strace"
	mkdir -p "$dir/pipes"
	text 9000 >"$dir/pipes/file"
	image pipes "$hidden" -zlz4
	run --separate-stderr strace -o "$dir/trace" -e inject=chown:error=EPERM -e trace=chown \
		"$tool" check --no-kernel "$public/pipes.erofs"
	[ "$status" -eq 2 ]
	one_line 'make the pipe'
}

@test "the program that reads compressed files runs as a user that nobody else is" {
	[ "$(id -u)" -eq 0 ] || skip "only root has another user for it"
	command -v gcc >/dev/null || skip "no gcc"
	mkdir -p "$public/who" "$dir/whose"
	gcc -x c -o "$public/who/fsck.erofs" - <<-'END'
		#include <stdio.h>
		#include <string.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			if (argc == 2)
				return puts("fsck.erofs (erofs-utils) 1.9.4") < 0;
			fprintf(stderr, "user=%d\n", (int)geteuid());
			return 1;
		}
	END
	chmod -R a+rx "$public/who"
	text 9000 >"$dir/whose/file"
	image whose "$hidden" -zlz4
	run env PATH="$public/who:$PATH" "$tool" check --no-kernel "$public/whose.erofs"
	[ "$status" -eq 2 ]
	[[ $output =~ user=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ne 0 ]
	[ "${BASH_REMATCH[1]}" -ne 65534 ]
}

@test "names do not turn or hide text, and JSON has no byte for the terminal" {
	mkdir -p "$dir/turned" "$dir/other"
	random 5000 >"$dir/turned/"$'a\u061cb\U000e0041c\ufe0fd'
	random 5000 >"$dir/other/"$'a\u061cb\U000e0041c\ufe0fd'
	random 5000 >"$dir/turned/"$'red\302\23331m\177'
	random 5000 >"$dir/other/"$'red\302\23331m\177'
	run "$tool" estimate "$dir/turned" "$dir/other"
	[ "$status" -eq 0 ]
	[[ $output == *"\$'a\\330\\234b\\363\\240\\201\\201c\\357\\270\\217d'"* ]]
	run "$tool" estimate --json "$dir/turned" "$dir/other"
	[ "$status" -eq 0 ]
	[[ $output == *'"red\u009b31m\u007f"'* ]]
	[ "$(jq -r '.obstacles[] | .path | select(startswith("red"))' <<<"$output")" = $'red\302\23331m\177' ]
}

@test "names of images in any bytes give valid JSON" {
	mkdir -p "$dir/latin"
	text 9000 >"$dir/latin/file"
	"$mkfs" --quiet "$hidden" "$public/"$'caf\351.erofs' "$dir/latin"
	chmod a+r "$public/"$'caf\351.erofs'
	for user in $(users); do
		run --separate-stderr as "$user" "$tool" estimate --json "$public/"$'caf\351.erofs' "$dir/../nothing" "$public/"$'caf\351.erofs'
		[ "$status" -eq 2 ]
		run --separate-stderr as "$user" "$tool" estimate --json "$public/"$'caf\351.erofs' "$public/"$'caf\351.erofs'
		[ "$status" -eq 0 ]
		[ "$(jq -r '.sources[0].name' <<<"$output")" = "$public/"$'caf\357\277\275.erofs' ]
	done
}
