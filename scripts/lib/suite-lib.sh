# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What every guest that runs the tests has: a kernel, an initrd with the programs,
# and the disks with the test images. Sourced by run-suite and run-modules, after
# lib.sh, and the caller's variables are what prepare_suite leaves.
# shellcheck disable=SC2034,SC2154 # see above

# with_variants PATTERN: print GoogleTest's filter for what a user calls PATTERN: most suites
# have variants, so Remount* also means Through/Remount.
with_variants()
{
	case $1 in
	'*' | *[/:-]*) echo "$1" ;;
	*) echo "$1:*/$1" ;;
	esac
}

# prepare_suite LINE MODULE DIR: build what is missing and make DIR anew, with the
# initrd in it. MODULE is "ours", "stock" or a file NAME.ko. Leaves $vmlinuz, $disks,
# $tool and $boot: what run-guest is told of this kernel line; and $patience:
# seconds for one test.
#
#	BATCH_MODULES	files that lie in the guest's /modules/batch
#	MORE_PROGRAMS	programs that lie in its /bin
prepare_suite()
{
	local line=$1 module=$2 dir=$3 out kernel file harness images utils append memory name blob

	out=$(build_dir)/$line
	kernel=$("$top/scripts/kernel/fetch-kernel" "$line")
	vmlinuz=$kernel/vmlinuz
	case $module in
	ours)
		"$top/scripts/kernel/build-module" "$line" "$out" >&2
		file=$out/erofs.ko vmlinuz=$out/vmlinuz ;;
	stock | *.ko)
		file=$module ;;
	*)
		die "MODULE is '$module': expected 'ours', 'stock' or a file NAME.ko" ;;
	esac
	append=$(cat "$kernel/append" 2>/dev/null || true)
	memory=$(cat "$kernel/memory" 2>/dev/null || echo 2048)
	# Debian's kernels clear every page when it is allocated, which would hide holes
	# and tails that a filesystem forgets to clear. A kernel that watches itself is
	# several times slower.
	boot=(--append "init_on_alloc=0 $append" --memory "$memory")
	case $line in
	*-debug | *-kcsan) boot+=(--timeout 10800 --idle 1200) patience=900 ;;
	*) boot+=(--timeout 1500 --idle 200) patience=120 ;;
	esac
	harness=$("$top/scripts/build-harness")
	tool=$harness/erofs-share-lab
	images=$("$top/scripts/images/test-images" "$harness")
	utils=$("$top/scripts/images/erofs-utils")

	"$top/scripts/kernel/build-module" --test-modules "$line" "$out"

	rm -rf "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2086 # a word a program
	TEST_MODULES=$out/test-modules "$top/scripts/guest/make-initramfs" "$kernel/modules" "$file" "$dir/initrd" \
		"$harness/erofs-share-init" "$tool" "$harness/erofs-share" "$harness/erofs-share-tests" \
		"$harness/mount.erofs-share:/sbin/mount.erofs-share" "$utils/dump.erofs:/sbin/dump.erofs" "$utils/mkfs.erofs:/sbin/mkfs.erofs" \
		"$(command -v mount):/bin/mount" "$(command -v umount):/bin/umount" ${MORE_PROGRAMS:-}

	# The store is there twice: tests let the second one's device fail.
	disks=(--disk "images=$images/store.ext4" --disk "faulty=$images/store.ext4")
	while read -r name _ blob; do
		disks+=(--disk "$name=$images/$name.erofs")
		[ -z "$blob" ] || disks+=(--disk "$name.blob=$images/$name.blob")
	done <"$images/index"
}
