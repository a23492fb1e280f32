#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernels can be asked for, and what fetch-kernel hands out.

load common

@test "make module refuses an unknown KERNEL in one line that lists the known ones" {
	run --separate-stderr make -s -C "$top" module KERNEL=9.99
	[ "$status" -ne 0 ]
	[[ ${stderr_lines[0]} == *"'9.99'"*6.1*6.12*7.3* ]]
	# The second line is make's own.
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ ${stderr_lines[1]} == make*Error* ]]
	[ ! -e "$top/build/9.99" ]
}

@test "make deb refuses an unknown KERNEL, before it installs or builds anything" {
	run --separate-stderr make -C "$top" deb KERNEL=6.6
	[ "$status" -ne 0 ]
	[[ $stderr == *"unknown kernel '6.6'"* ]]
}

@test "KSRC= that names an archive: what to run" {
	mkdir "$BATS_TEST_TMPDIR/kdir"
	touch "$BATS_TEST_TMPDIR/kdir/Makefile" "$BATS_TEST_TMPDIR/linux-source-6.12.tar.xz"
	KDIR=$BATS_TEST_TMPDIR/kdir KSRC=$BATS_TEST_TMPDIR/linux-source-6.12.tar.xz \
		run --separate-stderr "$top/scripts/kernel/build-module" mine "$BATS_TEST_TMPDIR/out"
	[ "$status" -eq 1 ]
	one_line "run 'tar xf $BATS_TEST_TMPDIR/linux-source-6.12.tar.xz' first"
}

@test "make load without a module: the command that builds this one" {
	KERNEL=6.1 run --separate-stderr "$top/scripts/kernel/load" "$BATS_TEST_TMPDIR/erofs.ko"
	[ "$status" -eq 1 ]
	one_line "build it with 'make module KERNEL=6.1'"
}

@test "make diff with an unknown KERNEL prints no diff" {
	run --separate-stderr make -s -C "$top" diff KERNEL=../6.12
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	[[ $stderr == *"unknown kernel '../6.12'"* ]]
}

@test "the fetched kernel, headers and source are one version and complete" {
	dir=$("$top/scripts/kernel/fetch-kernel" "$line")
	release=$(<"$dir/release")
	[ "$(<"$dir/version")" = "$(basename "$dir")" ]
	[ "$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' \
		"$dir/$(<"$dir/kdir")/include/generated/utsrelease.h")" = "$release" ] ||
		grep -q "KERNELRELEASE.*$release" "$dir/$(<"$dir/kdir")/.kernelvariables"
	grep -q "^kernel/fs/erofs/erofs.ko" "$dir/modules/modules.dep"
	for file in vmlinuz config source.tar.xz source/fs/erofs/super.c \
		    source/include/trace/events/erofs.h source/scripts/checkpatch.pl; do
		[ -s "$dir/$file" ]
	done
}

@test "headers work where they lie: no path of an installed kernel is left" {
	dir=$("$top/scripts/kernel/fetch-kernel" "$line")
	kdir=$dir/$(<"$dir/kdir")
	run ! grep -E '(^|[^.a-z)])/usr/(src|lib/linux-kbuild)' "$kdir/Makefile" "$kdir/.kernelvariables"
	mkdir "$BATS_TEST_TMPDIR/module"
	cd "$BATS_TEST_TMPDIR/module"
	printf '#include <linux/module.h>\nMODULE_LICENSE("GPL");\nMODULE_DESCRIPTION("-");\n' >nothing.c
	echo 'obj-m := nothing.o' >Makefile
	make -s -C "$kdir" M="$PWD" modules
	[ "$(/sbin/modinfo -F vermagic nothing.ko | cut -d' ' -f1)" = "$(<"$dir/release")" ]
}

@test "a second run needs no archive" {
	before=$("$top/scripts/kernel/fetch-kernel" "$line")
	utils=$("$top/scripts/images/erofs-utils")
	export EROFS_SHARE_MIRROR=$no_archive
	[ "$("$top/scripts/kernel/fetch-kernel" "$line")" = "$before" ]
	[ "$("$top/scripts/images/erofs-utils")" = "$utils" ]
	[ -x "$utils/mkfs.erofs" ]
}

# A kernel build directory that says it is of version $1, and its source, of
# version $2: KDIR and KSRC are set.
kernel_of_version()
{
	local IFS=. real

	KDIR=$BATS_TEST_TMPDIR/kdir KSRC=$BATS_TEST_TMPDIR/ksrc
	mkdir -p "$KDIR/include/generated/uapi/linux" "$KSRC/fs"
	# shellcheck disable=SC2086 # the version's parts are words
	set -- $1 $2
	printf '#define LINUX_VERSION_MAJOR %s\n#define LINUX_VERSION_PATCHLEVEL %s\n#define LINUX_VERSION_SUBLEVEL %s\n' \
		"$1" "$2" "$3" >"$KDIR/include/generated/uapi/linux/version.h"
	printf 'all:\n' >"$KDIR/Makefile"
	printf 'VERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = %s\nEXTRAVERSION =\n' "$4" "$5" "$6" >"$KSRC/Makefile"
	real=$("$top/scripts/kernel/fetch-kernel" "$line")
	cp -r "$real/source/fs/erofs" "$KSRC/fs/erofs"
	export KDIR KSRC
}

@test "a kernel newer than the newest tested line stops the build before the hooks" {
	kernel_of_version 99.1.2 99.1.2
	# A hook that was applied here would be named.
	sed -i 's/erofs_show_options/renamed/g' "$KSRC/fs/erofs/super.c"
	run --separate-stderr "$top/scripts/kernel/build-module" too-new "$BATS_TEST_TMPDIR/out"
	[ "$status" -ne 0 ]
	one_line 99.1.2
	one_line "newer than $("$top/scripts/kernel/fetch-kernel" --newest)"
	one_line FORCE=1
	[ ! -e "$BATS_TEST_TMPDIR/out" ]
}

@test "FORCE=1 builds for a newer kernel all the same" {
	kernel_of_version 99.1.2 99.1.2
	FORCE=1 run --separate-stderr "$top/scripts/kernel/build-module" --diff too-new
	[ "$status" -eq 0 ]
	[[ $output == *erofs_share_module_init* ]]
}

@test "the newest tested line itself is not too new, whatever its stable version" {
	newest=$("$top/scripts/kernel/fetch-kernel" --newest)
	kernel_of_version "$newest.250" "$newest.250"
	run --separate-stderr "$top/scripts/kernel/build-module" --diff newest
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "headers and source of two stable versions of a line: a warning that names both" {
	kernel_of_version 6.12.117 6.12.95
	run --separate-stderr "$top/scripts/kernel/build-module" --diff mixed
	[ "$status" -eq 0 ]
	one_line warning
	one_line 6.12.117
	one_line 6.12.95
}

@test "headers and source of two lines are refused" {
	kernel_of_version 6.12.117 6.1.192
	run --separate-stderr "$top/scripts/kernel/build-module" --diff mixed
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	one_line 6.12.117
	one_line 6.1.192
}

@test "a build directory without headers is named" {
	kernel_of_version 6.12.117 6.12.117
	rm "$KDIR/include/generated/uapi/linux/version.h"
	run --separate-stderr "$top/scripts/kernel/build-module" --diff empty
	[ "$status" -ne 0 ]
	one_line "$KDIR"
}

@test "a build that fails says the compiler's first error, not make's last" {
	kernel_of_version 6.12.117 6.12.117
	printf 'int a = one_thing;\nint b = another_thing;\n' >"$BATS_TEST_TMPDIR/broken.c"
	printf 'modules:\n\t$(CC) -c %s\n' "$BATS_TEST_TMPDIR/broken.c" >"$KDIR/Makefile"
	run --separate-stderr "$top/scripts/kernel/build-module" broken "$BATS_TEST_TMPDIR/out"
	[ "$status" -ne 0 ]
	[[ ${stderr_lines[-1]} == *"broken.c:1:9: error: "*one_thing* ]]
	[[ $stderr != *another_thing* ]]
	[[ $stderr != *"Error 1"* ]]
	grep -qF another_thing "$top/build/log/build-module.log"
}

# Stand-ins for kmod's programs: insmod says $1 and fails, the module needs nothing.
fake_kmod()
{
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "%s" >&2\nexit 1\n' "$1" >"$BATS_TEST_TMPDIR/bin/insmod"
	printf '#!/bin/sh\n[ "$2" = depends ] || echo "6.12.0-other SMP"\n' >"$BATS_TEST_TMPDIR/bin/modinfo"
	chmod +x "$BATS_TEST_TMPDIR"/bin/*
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	: >"$BATS_TEST_TMPDIR/erofs.ko"
}

@test "loading beside a loaded erofs: insmod's own error, and what to unmount" {
	fake_kmod 'insmod: ERROR: could not insert module erofs.ko: File exists'
	mkdir -p "$BATS_TEST_TMPDIR/proc/self"
	printf '%s\n' '22 1 0:21 / /proc rw,relatime shared:5 - proc proc rw' \
		'40 1 7:0 / /srv/image-one ro shared:9 - erofs /dev/loop0 ro,user_xattr' \
		'41 1 7:1 / /srv/image-two ro - erofs /dev/loop1 ro,user_xattr' \
		>"$BATS_TEST_TMPDIR/proc/self/mountinfo"
	EROFS_SHARE_PROC=$BATS_TEST_TMPDIR/proc run --separate-stderr "$top/scripts/kernel/load" "$BATS_TEST_TMPDIR/erofs.ko"
	[ "$status" -eq 1 ]
	[[ ${stderr_lines[0]} == 'insmod: ERROR: could not insert module erofs.ko: File exists' ]]
	[[ $stderr == *"umount /srv/image-one"*"umount /srv/image-two"*"rmmod erofs"* ]]
	[[ $stderr != *"umount /proc"* ]]
}

@test "loading a module of another kernel: both kernels are named" {
	fake_kmod 'insmod: ERROR: could not insert module erofs.ko: Invalid module format'
	run --separate-stderr "$top/scripts/kernel/load" "$BATS_TEST_TMPDIR/erofs.ko"
	[ "$status" -eq 1 ]
	[[ $stderr == *'Invalid module format'*6.12.0-other*"$(uname -r)"* ]]
}

@test "the build root has the newer compiler, and a second run needs no archive" {
	suite=$("$top/scripts/kernel/fetch-kernel" --build-root 6.12-deb13)
	[ -n "$suite" ] || skip "this machine's own tools build for Debian 13"
	"$top/scripts/kernel/build-root" "$suite" >/dev/null
	export EROFS_SHARE_MIRROR=$no_archive
	run --separate-stderr "$top/scripts/kernel/build-root" "$suite" --run gcc-14 --version
	[ "$status" -eq 0 ]
	[[ $output == *"gcc-14"* ]]
}

@test "the build root sees what it is given, and leaves no mount behind" {
	suite=$("$top/scripts/kernel/fetch-kernel" --build-root 6.12-deb13)
	[ -n "$suite" ] || skip "this machine's own tools build for Debian 13"
	echo content >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr "$top/scripts/kernel/build-root" "$suite" --run --bind "$BATS_TEST_TMPDIR:/build" cat /build/file
	[ "$status" -eq 0 ]
	[ "$output" = content ]
	root=$("$top/scripts/kernel/build-root" "$suite")
	run ! grep -F " $root" /proc/self/mountinfo
}
