#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# erofs-share estimate of directories that somebody else makes, and changes while they
# are read: nothing outside them is read, nothing but directories and files is opened,
# nobody waits, and a tree that no image can have is named.

# shellcheck disable=SC2016,SC2154,SC2317
load common

setup_file()
{
	export tool=$top/build/harness/erofs-share
	export PATH
	PATH=$("$top/scripts/images/erofs-utils"):$PATH
}

setup()
{
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/tree.XXXXXX")
	mkdir "$dir/other" "$dir/tree"
	echo other >"$dir/other/file"
}

teardown()
{
	# Deeper than rm goes by its path.
	rm -rf "$dir"
}

# files EXPECTED: fail unless estimate takes so many files of the tree, and says nothing.
files()
{
	run --separate-stderr timeout 60 "$tool" estimate --json "$dir/tree" "$dir/other"
	[ "$status" -eq 0 ] || { echo "exit status $status: $stderr"; return 1; }
	[ -z "$stderr" ]
	[ "$(jq '.sources[0].files' <<<"$output")" -eq "$1" ]
}

# refused TEXT: fail unless the tree is refused, in one short line that has TEXT.
refused()
{
	run --separate-stderr timeout 60 "$tool" estimate --json "$dir/tree" "$dir/other"
	[ "$status" -eq 2 ] || { echo "exit status $status: $stderr"; return 1; }
	one_line "$1"
	[ "${#stderr}" -lt 1000 ]
}

@test "pipes, sockets, devices and links are passed by" {
	echo 1 >"$dir/tree/file"
	mkfifo "$dir/tree/pipe"
	ln -s "$dir/other" "$dir/tree/directory"
	ln -s "$dir/other/file" "$dir/tree/link"
	ln -s nowhere "$dir/tree/dangling"
	python3 -c 'import os, socket, sys
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX).bind("socket")' "$dir/tree"
	mknod "$dir/tree/device" c 1 5 2>/dev/null || true
	files 1
}

@test "a hundred thousand entries, and names of 255 bytes, are read" {
	python3 -c 'import os, sys
os.chdir(sys.argv[1])
for i in range(100000):
    os.close(os.open("%06d" % i, os.O_CREAT | os.O_WRONLY))
for i in range(5):
    name = chr(97 + i) * 255
    os.mkdir(name)
    os.chdir(name)
    open(b"\xff" * 255, "w").write(str(i))' "$dir/tree"
	files 5
}

@test "a tree that is deeper than a path can be is named, at once" {
	python3 -c 'import os, sys
os.chdir(sys.argv[1])
for i in range(10000):
    os.mkdir("d")
    os.chdir("d")
open("file", "w").write("x")' "$dir/tree"
	refused ': its directories are nested too deeply to have a path'
}

@test "a directory that may not be read is named" {
	local as=()

	mkdir -m 0 "$dir/tree/closed"
	echo 1 >"$dir/tree/file"
	chmod 755 "$dir" "$dir/tree" "$dir/other"
	if [ "$(id -u)" -eq 0 ]; then
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		public=$(mktemp -d /tmp/erofs-share-test.XXXXXX)
		cp -a "$dir/." "$tool" "$public"
		chmod 755 "$public"
		run --separate-stderr "${as[@]}" "$public/erofs-share" estimate "$public/tree" "$public/other"
		rm -rf "$public"
	else
		run --separate-stderr "$tool" estimate "$dir/tree" "$dir/other"
	fi
	[ "$status" -eq 2 ]
	one_line 'tree/closed/: Permission denied'
}

@test "what is mounted in a tree is left out, and loops of mounts have an end" {
	need_private_mounts
	mkdir "$dir/tree/loop" "$dir/tree/bind" "$dir/tree/tmpfs"
	echo 1 >"$dir/tree/file"
	: >"$dir/tree/bound"
	run --separate-stderr private_mounts bash -c 'mount --bind "$2/tree" "$2/tree/loop" &&
		mount --bind "$2/tree" "$2/tree/loop/loop" && mount --bind "$2/other" "$2/tree/bind" &&
		mount --bind "$2/other/file" "$2/tree/bound" && mount -t tmpfs none "$2/tree/tmpfs" &&
		echo x >"$2/tree/tmpfs/x" && exec timeout 60 "$1" estimate --json "$2/tree" "$2/other"' - "$tool" "$dir"
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	[ "$(jq '.sources[0].files' <<<"$output")" -eq 1 ]
}

# between CALL COMMAND...: run estimate with a second behind each CALL of the system,
# and the commands in the first of these.
between()
{
	command -v strace >/dev/null || skip "no strace"
	strace -f -o "$dir/trace" -e "trace=$1" -e "inject=$1:delay_enter=1500000" \
		timeout 60 "$tool" estimate --json "$dir/tree" "$dir/other" >"$dir/out" 2>"$dir/errors" 3>&- &
	for ((i = 0; i < 300; i++)); do
		! grep -qs "$1.*file" "$dir/trace" || break
		sleep 0.05
	done
	"${@:2}"
	wait $!
	[ ! -s "$dir/errors" ]
}

@test "a file or directory that becomes a link is not followed" {
	mkdir "$dir/tree/sub"
	echo "long enough" >"$dir/tree/sub/file"
	exchange()
	{
		rm -r "$dir/tree/sub"
		ln -s "$dir/other" "$dir/tree/sub"
	}
	between openat2 exchange
	[ -L "$dir/tree/sub" ]
	[ "$(jq -c '[.sources[0].files, .sources[0].shared_bytes]' "$dir/out")" = '[0,0]' ]
}

@test "a file that becomes a device or a pipe is not opened" {
	echo contents >"$dir/tree/file"
	exchange()
	{
		rm "$dir/tree/file"
		mknod "$dir/tree/file" c 1 5 2>/dev/null || mkfifo "$dir/tree/file"
	}
	between openat2 exchange
	[ ! -f "$dir/tree/file" ]
	[ "$(jq '.sources[0].files' "$dir/out")" -eq 0 ]
	run ! grep -E 'openat.*"/proc/self/fd|O_RDONLY.*"file"' "$dir/trace"
}

@test "a file that grows is read as far as it was, one that shrinks as far as it is" {
	head -c 10000 /dev/zero >"$dir/tree/file"
	head -c 10000 /dev/zero >"$dir/other/file"
	(while [ ! -e "$dir/stop" ]; do head -c 20000000 /dev/zero; done >>"$dir/tree/file") 3>&- &
	writer=$!
	sleep 0.2
	run --separate-stderr timeout 60 "$tool" estimate --json "$dir/tree" "$dir/other"
	: >"$dir/stop"
	wait "$writer" || true
	[ "$status" -eq 0 ]
	[ "$(jq '.sources[0].files' <<<"$output")" -eq 1 ]

	head -c 9999999 /dev/urandom >"$dir/tree/file"
	exchange()
	{
		head -c 10000 /dev/zero >"$dir/tree/file"
	}
	between openat2 exchange
	[ "$(jq -c '[.sources[0].files, .sources[0].bytes == .sources[0].shared_bytes]' "$dir/out")" = '[1,true]' ]
}
