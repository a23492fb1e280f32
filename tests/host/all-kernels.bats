#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernels of a line can be had besides the newest, and what is done for all of
# them. The archive here is made up: a list of packages that are built when they
# are asked for.

load common

# A tree with the scripts that are under test, and an archive in place of Debian's:
# $packages_list has its "package version" lines, $downloads what was fetched from it.
setup()
{
	tree=$BATS_TEST_TMPDIR/tree
	packages_list=$BATS_TEST_TMPDIR/list downloads=$BATS_TEST_TMPDIR/downloads
	mkdir -p "$tree"/scripts/{check,guest,kernel,lib}
	cp "$top"/scripts/kernel/{fetch-kernel,kernels} "$tree/scripts/kernel"
	cp "$top/scripts/lib/lib.sh" "$tree/scripts/lib"
	cp "$top/scripts/check/matrix" "$tree/scripts/check"
	cat >"$tree/scripts/lib/archive" <<-'END'
		#!/bin/bash
		set -euo pipefail
		case $1 in
		refresh) ;;
		match) grep -E "^($3) " "$packages_list" | sort -u -k2,2Vr -k1,1 ;;
		download) printf '%s\n' "${@:3}" >>"$downloads"; make_packages "${@:3}" ;;
		*) exit 9 ;;
		esac
	END
	chmod +x "$tree/scripts/lib/archive"
	: >"$downloads"
	export packages_list downloads EROFS_SHARE_CACHE
	export -f make_packages
	EROFS_SHARE_CACHE=$(cold_cache)
	fetch=$tree/scripts/kernel/fetch-kernel
	kernels=$EROFS_SHARE_CACHE/kernels
}

# make_packages PACKAGE=VERSION...: leave a package file for each in the current
# directory, with the files of the real one that matter.
make_packages()
{
	local each name release

	for each; do
		name=${each%%=*} release=${each%%=*}
		release=${release#linux-*-}
		mkdir -p deb/DEBIAN deb/usr/src
		printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: x <x@y>\nDescription: x\n' \
			"$name" "${each#*=}" >deb/DEBIAN/control
		case $name in
		linux-headers-*)
			mkdir -p "deb/usr/src/$name"
			echo 'all:' >"deb/usr/src/$name/Makefile" ;;
		linux-kbuild-*) mkdir -p "deb/usr/lib/$name" ;;
		linux-image-*)
			mkdir -p deb/boot "deb/lib/modules/$release/kernel"
			echo kernel >"deb/boot/vmlinuz-$release"
			echo config >"deb/boot/config-$release" ;;
		linux-source-*)
			mkdir -p "$name"/{fs/erofs,include/trace/events,scripts}
			tee "$name/fs/erofs/super.c" "$name/include/trace/events/erofs.h" \
				"$name/scripts/checkpatch.pl" <<<"${each#*=}" >/dev/null
			tar -cJf "deb/usr/src/$name.tar.xz" "$name"
			rm -r "$name" ;;
		esac
		dpkg-deb --build deb "$name.deb" >/dev/null
		rm -r deb
	done
}

# offer RELEASE VERSION [PART...]: have parts of a kernel 6.1 in the archive: image,
# headers, common, source; all of them when none is named.
offer()
{
	local part parts=("${@:3}")

	[ "${#parts[@]}" -gt 0 ] || parts=(image headers common source)
	for part in "${parts[@]}"; do
		case $part in
		common) echo "linux-headers-$1-common $2" ;;
		source) echo "linux-source-6.1 $2" ;;
		*) echo "linux-$part-$1-cloud-amd64 $2" ;;
		esac
	done >>"$packages_list"
}

# As on a day in November 2026: the newest has no image, the oldest no source.
offer_some()
{
	offer 6.1.0-57 6.1.192-3 headers common source
	offer 6.1.0-56 6.1.192-2
	offer 6.1.0-50 6.1.176-1
	offer 6.1.0-47 6.1.170-3
	offer 6.1.0-9 6.1.99-1 image headers common
	printf '%s\n' 'linux-kbuild-6.1 6.1.192-3' 'linux-kbuild-6.1 6.1.176-1' >>"$packages_list"
}

@test "the newest, the oldest and a named kernel of a line are those that the archive has whole" {
	offer_some
	[ "$("$fetch" 6.1)" = "$kernels/6.1/6.1.192-2" ]
	[ "$("$fetch" 6.1@newest)" = "$kernels/6.1/6.1.192-2" ]
	[ "$("$fetch" 6.1@oldest)" = "$kernels/6.1/6.1.170-3" ]
	[ "$("$fetch" 6.1@6.1.176-1)" = "$kernels/6.1/6.1.176-1" ]
	for version in 192-2 170-3 176-1; do
		[ "$(<"$kernels/6.1/6.1.$version/version")" = "6.1.$version" ]
		[ "$(<"$kernels/6.1/6.1.$version/source/fs/erofs/super.c")" = "6.1.$version" ]
		[ -s "$kernels/6.1/6.1.$version/vmlinuz" ]
	done
	[ "$(<"$kernels/6.1/6.1.170-3/release")" = 6.1.0-47-cloud-amd64 ]
}

@test "the releases of a line: those that can be booted, and those that can be built for" {
	offer_some
	run --separate-stderr "$fetch" --releases 6.1 all
	[ "$output" = "6.1.0-56-cloud-amd64 6.1.192-2
6.1.0-50-cloud-amd64 6.1.176-1
6.1.0-47-cloud-amd64 6.1.170-3" ]
	[ "$("$fetch" --releases 6.1 2)" = "$(head -n 2 <<<"$output")" ]
	run --separate-stderr "$fetch" --headers --releases 6.1 all
	[ "${#lines[@]}" -eq 4 ]
	[ "${lines[0]}" = "6.1.0-57-cloud-amd64 6.1.192-3" ]
	[ ! -s "$downloads" ]
}

@test "a kbuild package that is gone is replaced by the newest, never by an older one" {
	offer_some
	"$fetch" --headers 6.1@6.1.176-1
	"$fetch" --headers 6.1@6.1.170-3
	grep -xF linux-kbuild-6.1=6.1.176-1 "$downloads"
	grep -xF linux-kbuild-6.1=6.1.192-3 "$downloads"
	sed -i '/^linux-kbuild-6.1 6.1.192-3/d' "$packages_list"
	[ "$("$fetch" --releases 6.1 1)" = "6.1.0-50-cloud-amd64 6.1.176-1" ]
}

@test "for a build, headers and source are fetched, once, and the source's archive is not kept" {
	offer_some
	run --separate-stderr "$fetch" --headers 6.1@6.1.192-3
	[ "$output" = "$kernels/6.1/6.1.192-3.headers" ]
	[ "$(sort "$downloads")" = "linux-headers-6.1.0-57-cloud-amd64=6.1.192-3
linux-headers-6.1.0-57-common=6.1.192-3
linux-kbuild-6.1=6.1.192-3
linux-source-6.1=6.1.192-3" ]
	[ -f "$output/$(<"$output/kdir")/Makefile" ]
	[ -s "$output/source/fs/erofs/super.c" ]
	[ ! -e "$output/source.tar.xz" ]
	# Without the archive's lists, too.
	rm "$packages_list"
	: >"$downloads"
	[ "$("$fetch" --headers 6.1@6.1.192-3)" = "$output" ]
	[ ! -s "$downloads" ]
}

@test "a kernel that is there whole serves for a build; headers alone do not serve a guest" {
	offer_some
	"$fetch" 6.1@6.1.176-1
	"$fetch" --headers 6.1@6.1.170-3
	: >"$downloads"
	[ "$("$fetch" --headers 6.1@6.1.176-1)" = "$kernels/6.1/6.1.176-1" ]
	[ ! -s "$downloads" ]
	[ "$("$fetch" 6.1@oldest)" = "$kernels/6.1/6.1.170-3" ]
	grep -xF linux-image-6.1.0-47-cloud-amd64=6.1.170-3 "$downloads"
}

@test "newest and oldest stay until they are refreshed" {
	offer_some
	"$fetch" 6.1
	"$fetch" 6.1@oldest
	offer 6.1.0-58 6.1.199-1
	echo 'linux-kbuild-6.1 6.1.199-1' >>"$packages_list"
	sed -i '/6.1.170-3/d' "$packages_list"
	[ "$("$fetch" 6.1)" = "$kernels/6.1/6.1.192-2" ]
	[ "$("$fetch" 6.1@oldest)" = "$kernels/6.1/6.1.170-3" ]
	[ "$("$fetch" --refresh 6.1)" = "$kernels/6.1/6.1.199-1" ]
	[ "$("$fetch" 6.1@oldest)" = "$kernels/6.1/6.1.176-1" ]
}

@test "what cannot be had is refused in one line, and nothing is fetched" {
	offer_some
	for bad in 6.1@../x 6.1@ 6.1@6.1.99-1 6.12-debug@oldest '--releases 6.12-debug all'; do
		# shellcheck disable=SC2086 # options and a kernel
		run --separate-stderr "$fetch" $bad
		[ "$status" -ne 0 ]
		[ -z "$output" ]
		one_line "${bad##* }" || one_line 6.12-debug || one_line "6.1.99-1 for 6.1"
	done
	[ ! -s "$downloads" ]
	nothing_half_made "$EROFS_SHARE_CACHE"
}

# fake_build VERSION: a build-module that fails for VERSION.
fake_build()
{
	cat >"$tree/scripts/kernel/build-module" <<-END
		#!/bin/bash
		case "\$*" in
		*--diff*) printf '%s\n' '--- a/x' '+++ b/x' '-old' '+new' '+newer' ;;
		*@$1*) mkdir -p "$tree/build/log"; echo 'what the compiler said' >"$tree/build/log/build-module.log"
			echo 'build-module: no' >&2; exit 1 ;;
		*) mkdir -p "\$3/tree"; : >"\$3/erofs.ko"; printf '%s\n' new newer >"\$3/tree/super.c" ;;
		esac
	END
	chmod +x "$tree/scripts/kernel/build-module"
}

@test "make kernels: a row for every kernel, and failure when one does not build" {
	offer_some
	fake_build 6.1.176-1
	LINES=6.1 run --separate-stderr "$tree/scripts/kernel/kernels"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 6 ]
	[[ ${lines[1]} =~ ^6.1\ +6.1.0-57-cloud-amd64\ +6.1.192-3\ +yes\ +3\  ]]
	[[ ${lines[3]} =~ ^6.1\ +6.1.0-50-cloud-amd64\ +6.1.176-1\ +no\ +-\  ]]
	[[ ${lines[4]} =~ ^6.1\ +6.1.0-47-cloud-amd64\ +6.1.170-3\ +yes\ +3\  ]]
	[[ ${lines[5]} == *"not build for 1 of 4 kernels: 6.1.0-50-cloud-amd64 (6.1.176-1);"* ]]
	[ "$(<"$tree/build/kernels/6.1@6.1.176-1/build.log")" = 'what the compiler said' ]
	[ -e "$tree/build/kernels/6.1@6.1.170-3/erofs.ko" ]
}

@test "make kernels: success when all build" {
	offer_some
	fake_build none
	LINES=6.1 run --separate-stderr "$tree/scripts/kernel/kernels"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == *"builds for all 4 kernels"* ]]
}

@test "make kernels: a line without any kernel, and a disk too small, stop it before a build" {
	need_private_mounts
	echo 'linux-source-6.1 6.1.1-1' >"$packages_list"
	fake_build none
	LINES=6.1 run --separate-stderr "$tree/scripts/kernel/kernels"
	[ "$status" -eq 1 ]
	one_line "no complete kernel of 6.1"
	offer_some
	mkdir -p "$EROFS_SHARE_CACHE"
	# shellcheck disable=SC2016 # expanded by the inner shell
	LINES=6.1 run --separate-stderr private_mounts bash -c '
		mount -t tmpfs -o size=16m none "$EROFS_SHARE_CACHE" && exec "$1"' - "$tree/scripts/kernel/kernels"
	[ "$status" -eq 1 ]
	one_line "4 kernels to build for needs 900 MB"
	[ ! -e "$tree/build/kernels/6.1@6.1.176-1" ]
}

@test "make kernels: two runs do not build in one directory" {
	offer_some
	fake_build none
	mkdir -p "$tree/build/kernels"
	exec {lock}>"$tree/build/kernels/.lock"
	flock "$lock"
	LINES=6.1 run --separate-stderr "$tree/scripts/kernel/kernels"
	exec {lock}>&-
	[ "$status" -eq 1 ]
	one_line "another run builds in $tree/build/kernels"
	[ ! -s "$downloads" ]
}

# fake_suite: guests that pass all tests.
fake_suite()
{
	mkdir -p "$tree/build/harness"
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/bash\nmkdir -p "$3"\necho "$1" >>"$downloads"\n' >"$tree/scripts/guest/run-suite"
	printf '#!/bin/bash\necho "total 3 0 1"\n' >"$tree/build/harness/erofs-share-lab"
	chmod +x "$tree/scripts/guest/run-suite" "$tree/build/harness/erofs-share-lab"
	fake_build none
}

@test "make matrix: the newest and the oldest of a line, or one row where they are the same" {
	offer_some
	fake_suite
	LINES=6.1 run --separate-stderr "$tree/scripts/check/matrix"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[1]} =~ ^6.1\ +6.1.0-56-cloud-amd64\ +3\  ]]
	[[ ${lines[2]} =~ ^6.1@oldest\ +6.1.0-47-cloud-amd64\ +3\  ]]
	LINES=6.1@6.1.176-1 run --separate-stderr "$tree/scripts/check/matrix"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[1]} =~ ^6.1@6.1.176-1\ +6.1.0-50-cloud-amd64\  ]]
	sed -i '/6.1.0-47/d; /6.1.0-50/d' "$packages_list"
	"$fetch" --refresh 6.1
	LINES=6.1 run --separate-stderr "$tree/scripts/check/matrix"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[1]} =~ ^6.1\ +6.1.0-56-cloud-amd64\  ]]
}
