#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# mount.erofs-share without a kernel that mounts: its command line, by which paths
# it takes the id, as root and as an ordinary user, and what it makes of each of the
# kernel's refusals, which a preloaded library plays.

load common

setup_file()
{
	export helper=$BATS_FILE_TMPDIR/mount.erofs-share
	cp "$("$top/scripts/build-harness" mount.erofs-share)/mount.erofs-share" "$helper"
	gcc -Wall -Wextra -Werror -shared -fPIC -o "$BATS_FILE_TMPDIR/refuse.so" "$top/tests/host/refusing-kernel.c"
	# Nothing but the magic number of erofs.
	export image=$BATS_FILE_TMPDIR/image.erofs
	truncate -s 8192 "$image"
	printf '\xe2\xe1\xf5\xe0' | dd of="$image" bs=1 seek=1024 conv=notrunc status=none
	mkdir "$BATS_FILE_TMPDIR/mnt"
	# An ordinary user comes here, too.
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
}

setup()
{
	mnt=$BATS_FILE_TMPDIR/mnt
	id=$BATS_TEST_TMPDIR/id
	(umask 077; echo secret >"$id")
	own=
}

teardown()
{
	[ -z "$own" ] || rm -rf "$own"
}

# by_descriptor ARGUMENT...: run the helper with the id on descriptor 5.
by_descriptor()
{
	run --separate-stderr "$helper" "$image" "$mnt" -o "domain_id_file=/dev/fd/5${options:-}" "$@" 5<"$id"
}

# refused CALL ERRNO [LOG]: run the helper on a kernel that refuses so.
refused()
{
	printf '%s' "${3:-}" >"$BATS_TEST_TMPDIR/log"
	REFUSE_CALL=$1 REFUSE_ERRNO=$2 REFUSE_LOG=$BATS_TEST_TMPDIR/log LD_PRELOAD=$BATS_FILE_TMPDIR/refuse.so \
		by_descriptor
	echo "$stderr"
	[ "$status" -ne 0 ]
	[[ $stderr != *secret* ]]
}

@test "a quote that is not closed is the cause that is named" {
	options=',"' by_descriptor -f
	[ "$status" -eq 1 ]
	one_line 'a double quote is not closed'
	options=',device="/a,b' by_descriptor -f
	[ "$status" -eq 1 ]
	one_line 'a double quote is not closed'
}

@test "values of options that have none are refused without a kernel" {
	for option in noatime=recursive nosuid=1 ro=fs noexec=; do
		options=,$option by_descriptor -f
		[ "$status" -eq 1 ]
		one_line "${option%%=*} takes no value"
	done
}

@test "an id in a directory that others may write is refused, also to an ordinary user" {
	run --separate-stderr "$helper" -f "$image" "$mnt" -o "domain_id_file=$id"
	[ "$status" -eq 1 ]
	one_line 'others may write to the directory /tmp (mode 1777)'
	[ "$(id -u)" -eq 0 ] || return 0
	chown 65534 "$id"
	chmod 755 "$BATS_TEST_TMPDIR"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$helper" -f "$image" "$mnt" -o "domain_id_file=$id"
	[ "$status" -eq 1 ]
	one_line 'others may write to the directory /tmp (mode 1777)'
}

@test "an id in root's own directories is taken, by links of root, and not through another user's" {
	[ "$(id -u)" -eq 0 ] || skip "only root has such directories"
	own=$(mktemp -d /run/erofs-share-test.XXXXXX)
	mkdir "$own"/{root,bob}
	cp "$id" "$own/root/id"
	ln -s "$own/root" "$own/link"
	ln -s "$own/root" "$own/bob/link"
	chown -h 65534 "$own/bob/link"
	chown 65534 "$own/bob"
	chmod 755 "$own"
	REFUSE_CALL=none LD_PRELOAD=$BATS_FILE_TMPDIR/refuse.so \
		"$helper" -f "$image" "$mnt" -o "domain_id_file=$own/link/../root/id"
	run --separate-stderr "$helper" -f "$image" "$mnt" -o "domain_id_file=$own/bob/link/id"
	[ "$status" -eq 1 ]
	one_line "the directory $own/bob belongs to user 65534"
	chown -h 65534 "$own/link"
	run --separate-stderr "$helper" -f "$image" "$mnt" -o "domain_id_file=$own/link/id"
	[ "$status" -eq 1 ]
	one_line "$own/link is a symbolic link of user 65534"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$helper" -f "$image" "$mnt" -o "domain_id_file=$own/root/id"
	[ "$status" -eq 1 ]
	one_line "Permission denied"
}

# bobs_directory: leave in $own a directory with one of another user's, and a victim.
bobs_directory()
{
	[ "$(id -u)" -eq 0 ] || skip "only root mounts where another user is"
	own=$(mktemp -d /tmp/erofs-share-test.XXXXXX)
	chmod 755 "$own"
	mkdir -p "$own"/{victim,bob/sub}/mnt
	ln -s "$own/victim" "$own/bob/link"
	chown -hR 65534 "$own/bob"
}

@test "the directory that was looked at is the one that is mounted on" {
	bobs_directory
	for target in "$own/bob/sub/mnt" sub/mnt; do
		run --separate-stderr env -C "$own/bob" REFUSE_TARGET="$own/target" LD_PRELOAD="$BATS_FILE_TMPDIR/refuse.so" \
			REFUSE_MEANWHILE="mv $own/bob/sub $own/bob/away && ln -s $own/victim $own/bob/sub" \
			"$helper" "$image" "$target" -o domain_id_file=/dev/fd/5 5<"$id"
		[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
		[ "$(cat "$own/target")" = "$own/bob/away/mnt" ]
		rm "$own/bob/sub" "$own/target"
		mv "$own/bob/away" "$own/bob/sub"
	done
}

@test "another user's link does not lead to a directory to mount on" {
	bobs_directory
	for options in "" ,remount; do
		run --separate-stderr env LD_PRELOAD="$BATS_FILE_TMPDIR/refuse.so" \
			"$helper" "$image" "$own/bob/link/mnt" -o "domain_id_file=/dev/fd/5$options" 5<"$id"
		[ "$status" -eq 32 ]
		one_line "$own/bob/link is a symbolic link of user 65534, who can make it lead anywhere"
	done
	# Root's own does, and dots are what they are.
	ln -s "$own/bob" "$own/mine"
	LD_PRELOAD=$BATS_FILE_TMPDIR/refuse.so REFUSE_TARGET=$own/target \
		"$helper" "$image" "$own/mine/../bob/./sub//mnt/" -o domain_id_file=/dev/fd/5 5<"$id"
	[ "$(cat "$own/target")" = "$own/bob/sub/mnt" ]
	run --separate-stderr "$helper" "$image" "$own/bob/nowhere" -o domain_id_file=/dev/fd/5 5<"$id"
	one_line "$own/bob/nowhere: mount point does not exist"
	run --separate-stderr "$helper" "$image" "$id" -o domain_id_file=/dev/fd/5 5<"$id"
	one_line "$id: mount point is not a directory"
}

@test "names do not speak to the terminal" {
	run --separate-stderr "$helper" $'/a\e[31m\nb' "$mnt" -o domain_id_file=/dev/fd/5 5<"$id"
	[ "$status" -eq 32 ]
	[[ $stderr != *$'\e'* ]]
}

@test "without standard descriptors no other file becomes one of them" {
	run bash -c 'LD_PRELOAD=$1 "${@:2}" 5<"$0" <&- >&- 2>&-' "$id" "$BATS_FILE_TMPDIR/refuse.so" \
		"$helper" -f "$image" "$mnt" -o domain_id_file=/dev/fd/5
	[ "$status" -eq 0 ]
}

@test "every refusal of the kernel has a cause and a remedy" {
	refused fsopen 19	# ENODEV
	[[ $stderr == *'this kernel has no erofs'*modprobe\ erofs* ]]
	refused fsopen 1	# EPERM
	[ "$status" -eq 1 ]
	[[ $stderr == *'only root, with CAP_SYS_ADMIN'* ]]
	refused fsopen 38	# ENOSYS
	[[ $stderr == *'older than 5.2'* ]]
	refused inode_share 22 "e erofs: Unknown parameter 'inode_share'"
	[[ $stderr == *'knows no inode_share'*erofs-inode-share-dkms* ]]
	options=,bogus refused bogus 22 "e erofs: Unknown parameter 'bogus'"
	[[ $stderr == *'leave it out'*-s* ]]
	refused create 16	# EBUSY
	[[ $stderr == *'in use by another file system'*lsblk* ]]
	refused create 16 'e this image is mounted already, in another domain; unmount it first'
	[[ $stderr == *"name the file with the id of the first mount's domain"* ]]
	refused create 16 'e this image is mounted already, without inode_share; unmount it first'
	[[ $stderr == *'findmnt -t erofs'* ]]
	refused create 6	# ENXIO
	[[ $stderr == *'not there, or has no medium'* ]]
	refused create 2	# ENOENT
	[[ $stderr == *'or a device= of it, is not there'* ]]
	refused create 13	# EACCES
	[[ $stderr == *'a security policy'* ]]
	refused create 1	# EPERM
	[[ $stderr == *'only root, with CAP_SYS_ADMIN'* ]]
	refused create 95	# EOPNOTSUPP
	[[ $stderr == *'mkfs.erofs -zlz4'* ]]
	refused create 74	# EBADMSG
	[[ $stderr == *'the checksum of its superblock is wrong'* ]]
	refused create 117	# EUCLEAN
	[[ $stderr == *'erofs-share check'* ]]
	refused create 5	# EIO
	[[ $stderr == *'the device fails'* ]]
	refused create 22	# EINVAL, of an image
	[[ $stderr == *dmesg* ]]
	refused create 22 'e inode_share and dax exclude each other: DAX has no page cache to share'
	[[ $stderr == *'leave out dax'* ]]
	refused move_mount 28	# ENOSPC
	[[ $stderr == *fs.mount-max* ]]
	refused move_mount 2	# ENOENT
	[[ $stderr == *'not there any more'* ]]
	refused move_mount 1	# EPERM
	[[ $stderr == *'only root of the namespace'* ]]
	image=$helper refused create 22
	[[ $stderr == *'is no EROFS image'* ]]
}

@test "an errno that nobody knows is still said" {
	refused create 122	# EDQUOT
	one_line 'Disk quota exceeded'
}
