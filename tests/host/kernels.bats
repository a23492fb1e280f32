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

@test "make diff with an unknown KERNEL prints no diff" {
	run --separate-stderr make -s -C "$top" diff KERNEL=../6.12
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	[[ $stderr == *"unknown kernel '../6.12'"* ]]
}

@test "the fetched kernel, headers and source are one version and complete" {
	dir=$("$top/scripts/fetch-kernel" "$line")
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
	dir=$("$top/scripts/fetch-kernel" "$line")
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
	before=$("$top/scripts/fetch-kernel" "$line")
	utils=$("$top/scripts/erofs-utils")
	export EROFS_SHARE_MIRROR=$no_archive
	[ "$("$top/scripts/fetch-kernel" "$line")" = "$before" ]
	[ "$("$top/scripts/erofs-utils")" = "$utils" ]
	[ -x "$utils/mkfs.erofs" ]
}
