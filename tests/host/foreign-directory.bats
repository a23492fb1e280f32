#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Results of root's in a directory of another user, who exchanges what is in it, and
# what leads to it, at the moments that would do most: nothing of anybody else's is
# written, given away or removed.

# shellcheck disable=SC2016,SC2154,SC2317
load common

setup_file()
{
	export tool=$top/build/harness/erofs-share
	utils=$("$top/scripts/images/erofs-utils")
	# Where everybody can come, as mkfs.erofs runs as nobody.
	public=$(mktemp -d /tmp/erofs-share-test.XXXXXX)
	chmod 755 "$public"
	export public
	cp "$utils"/{mkfs,fsck}.erofs "$public"
	chmod a+rx "$public"/*
	export PATH=$public:$PATH
	mkdir "$public/tree"
	echo contents >"$public/tree/file"
	"$public/mkfs.erofs" --quiet -b4096 "$public/old.erofs" "$public/tree"
}

teardown_file()
{
	rm -rf "$public"
}

setup()
{
	[ "$(id -u)" -eq 0 ] || skip "only root has more rights than the other user"
	dir=$(mktemp -d "$public/test.XXXXXX")
	chmod 755 "$dir"
	bob=$dir/bob victim=$dir/victim
	mkdir -m 755 "$bob"
	mkdir -m 700 "$victim"
	echo secret >"$victim/image"
	chown 65534:65534 "$bob"
	before=$(state)
}

# state: what must not change.
state()
{
	find "$victim" -printf '%p %U %G %m %s %T@\n' | sort
	cat "$victim/image"
}

as_bob()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# exchanges COMMANDS: let them run as bob, with the first directory of ours as $1.
exchanges()
{
	as_bob timeout 30 bash -c 'cd "$1" && until set -- .erofs-share.* && [ -e "$1" ]; do sleep 0.1; done
'"$1" - "$bob" "$victim" 3>&- &
}

# slowly COMMAND...: run it with a second behind each directory that it makes.
slowly()
{
	command -v strace >/dev/null || skip "no strace"
	run --separate-stderr strace -f -o /dev/null -e trace=mkdir,mkdirat \
		-e inject=mkdir,mkdirat:delay_exit=1000000 "$@"
}

@test "what takes the place of our directory is not written to, given away or removed" {
	local new

	for new in 'ln -s '"$victim"' "$1"' 'mkdir "$1"' 'mkdir -m 700 "$1" && : >"$1/image"'; do
		exchanges 'mv "$1" away && '"$new"
		slowly "$tool" fingerprint "$public/old.erofs" "$bob/new.erofs"
		wait
		[ -d "$bob/away" ]
		[ "$status" -eq 2 ]
		[[ ${stderr_lines[-1]} == *"$bob/new.erofs: another user has put something in the place of a directory"* ]]
		[ "$(state)" = "$before" ]
		rm -rf "$bob/away" "$bob"/.erofs*
	done
	# One of root's that lies there.
	mkdir -m 700 "$bob/backup"
	echo precious >"$bob/backup/file"
	exchanges 'mv "$1" away && mv backup "$1"'
	slowly "$tool" fingerprint "$public/old.erofs" "$bob/new.erofs"
	wait
	[ "$status" -eq 2 ]
	[ "$(cat "$bob"/.erofs-share.*/file)" = precious ]
	[ "$(stat -c %u "$bob"/.erofs-share.*)" -eq 0 ]
}

# fake COMMANDS: let a script be the mkfs.erofs that is found; it has $real.
fake()
{
	mkdir -p "$dir/bin"
	printf '#!/bin/bash\nreal=%q\n[ "$1" != -V ] || exec "$real" -V\n%s\n' "$public/mkfs.erofs" "$1" >"$dir/bin/mkfs.erofs"
	chmod a+rx "$dir/bin" "$dir/bin/mkfs.erofs"
	PATH=$dir/bin:$PATH
}

@test "a directory that is moved while we work in it is the one that gets the result" {
	as_bob mkdir "$bob/out"
	fake 'for i in {1..50}; do [ ! -L '"$bob"'/out ] || exec "$real" "$@"; sleep 0.1; done; exit 3'
	as_bob timeout 30 bash -c 'cd "$1" && until set -- out/.erofs-share.* "$2" && [ -e "$1" ] && [ "$1" != "$2" ]; do sleep 0.1; done
		mv out moved && ln -s "$2" out' - "$bob" "$victim" 3>&- &
	run --separate-stderr "$tool" fingerprint "$public/old.erofs" "$bob/out/new.erofs"
	wait
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	[ -L "$bob/out" ]
	"$tool" check "$bob/moved/new.erofs"
	[ "$(state)" = "$before" ]
	[ -z "$(find "$bob" "$victim" -name '.erofs*')" ]
}

@test "a symbolic link of another user does not lead to where he may not go" {
	local name

	as_bob ln -s "$victim" "$bob/out"
	ln -s "$bob" "$dir/mine"
	for name in "$bob/out/new" "$dir/mine/out/new"; do
		run --separate-stderr "$tool" fingerprint "$public/old.erofs" "$name"
		[ "$status" -eq 2 ]
		[[ ${stderr_lines[-1]} == *"$name"*"/bob/out is a symbolic link of user 65534, who can make it lead anywhere"* ]]
		run --separate-stderr "$tool" status --json --output "$name"
		[ "$status" -eq 2 ]
		one_line "/bob/out is a symbolic link of user 65534, who can make it lead anywhere"
		[ "$(state)" = "$before" ]
	done
	# Root's own does.
	"$tool" fingerprint "$public/old.erofs" "$dir/mine/new" 2>/dev/null
	"$tool" check "$bob/new"
	cd "$bob"
	"$tool" fingerprint "$public/old.erofs" other 2>/dev/null
	"$tool" check other
}

@test "what mkfs.erofs leaves is removed, however deep and whatever it leads to" {
	fake 'mkdir .up.0 .up.0/in
ln -s '"$victim"' link
mkdir -p "$(printf "d/%.0s" {1..1500})"
chmod 0 d
exit 1'
	run --separate-stderr bash -c 'ulimit -n 64 && exec "$@"' - "$tool" fingerprint "$public/old.erofs" "$bob/new"
	[ "$status" -eq 2 ]
	[ -z "$(find "$bob" -mindepth 1)" ]
	[ "$(state)" = "$before" ]
	chmod 777 "$bob"
	run --separate-stderr as_bob bash -c 'ulimit -n 64 && exec "$@"' - "$tool" fingerprint "$public/old.erofs" "$bob/new"
	[ -z "$(find "$bob" -mindepth 1)" ]
}
