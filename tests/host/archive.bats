#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What happens when the archive is away, cut short or not Debian's, and when the
# disk is full: one line that says what to do, and nothing half-made.

load common

codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

# A small package, and Debian's own signed lists, once from the real archive.
setup_file()
{
	local dir

	dir=$(warm_cache)/tests
	"$top/scripts/lib/archive" update "$codename"
	if [ -z "$(find "$dir" -name 'hostname_*.deb' 2>/dev/null)" ]; then
		mkdir -p "$dir"
		found=$("$top/scripts/lib/archive" versions "$codename" hostname | head -n 1)
		(cd "$dir" && "$top/scripts/lib/archive" download "$codename" "${found/ /=}")
	fi
}

# local_archive: lay out what setup_file has as an archive in a directory; set
# package (name=version) and deb (its file there).
local_archive()
{
	local lists path

	archive=$BATS_TEST_TMPDIR/archive
	lists=$(warm_cache)/archive/$codename/lists
	mkdir -p "$archive/dists/$codename/main/binary-amd64"
	ln -s "$lists"/*_InRelease "$archive/dists/$codename/InRelease"
	ln -s "$lists"/*_Packages "$archive/dists/$codename/main/binary-amd64/Packages"
	found=$("$top/scripts/lib/archive" versions "$codename" hostname | head -n 1)
	package=${found/ /=}
	path=$(awk '/^Package: / { hit = $2 == "hostname" } hit && /^Filename: / { print $2; exit }' \
		"$lists"/*_Packages)
	deb=$archive/$path
	mkdir -p "$(dirname "$deb")"
	cp "$(warm_cache)"/tests/hostname_*.deb "$deb"
	export EROFS_SHARE_MIRROR=file://$archive EROFS_SHARE_CACHE
	EROFS_SHARE_CACHE=$(cold_cache)
	# Only the uncompressed lists are kept, and apt must not look for others.
	echo 'Acquire::IndexTargets::deb::Packages::CompressionTypes "uncompressed";' \
		>"$BATS_TEST_TMPDIR/apt.conf"
	export APT_CONFIG=$BATS_TEST_TMPDIR/apt.conf
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here"
}

@test "a whole package from a signed archive is taken" {
	local_archive
	run "$top/scripts/lib/archive" download "$codename" "$package"
	[ "$status" -eq 0 ]
	cmp "$deb" hostname_*.deb
}

@test "a package that was cut short is refused" {
	local_archive
	truncate -s -1000 "$deb"
	run --separate-stderr "$top/scripts/lib/archive" download "$codename" "$package"
	[ "$status" -ne 0 ]
	[[ ${stderr_lines[-1]} == *"damaged or cut short"* ]]
	[ -z "$(find . -name '*.deb')" ]
}

@test "a package with one changed byte is refused" {
	local_archive
	printf X | dd of="$deb" bs=1 seek=5000 conv=notrunc status=none
	run --separate-stderr "$top/scripts/lib/archive" download "$codename" "$package"
	[ "$status" -ne 0 ]
	[[ ${stderr_lines[-1]} == *"damaged or cut short"* ]]
	[ -z "$(find . -name '*.deb')" ]
}

@test "package lists that Debian did not sign are refused" {
	local_archive
	sed -i 's/^Codename: .*/Codename: other/' "$archive/dists/$codename/InRelease"
	run --separate-stderr "$top/scripts/lib/archive" update "$codename"
	[ "$status" -ne 0 ]
	one_line "not signed by Debian's archive keyring"
	[ ! -e "$(cold_cache)/archive/$codename" ]
	nothing_half_made "$(cold_cache)"
}

@test "no archive: every fetching script says so in one line" {
	export EROFS_SHARE_CACHE EROFS_SHARE_MIRROR=$no_archive
	EROFS_SHARE_CACHE=$(cold_cache)
	for script in "kernel/fetch-kernel $line" images/erofs-utils images/demo-images; do
		# shellcheck disable=SC2086 # a script and its arguments
		run --separate-stderr "$top/scripts/"$script
		[ "$status" -ne 0 ]
		[ -z "$output" ]
		one_line "cannot reach the Debian archive"
	done
	nothing_half_made "$(cold_cache)"
}

@test "a host that refuses the connection: one line" {
	export EROFS_SHARE_CACHE EROFS_SHARE_MIRROR=http://127.0.0.1:9/debian
	export no_proxy=127.0.0.1
	EROFS_SHARE_CACHE=$(cold_cache)
	run --separate-stderr "$top/scripts/kernel/fetch-kernel" "$line"
	[ "$status" -ne 0 ]
	one_line "cannot reach the Debian archive"
}

@test "a failed refresh keeps what was there" {
	local_archive
	"$top/scripts/lib/archive" update "$codename"
	rm "$archive/dists/$codename/InRelease"
	run --separate-stderr "$top/scripts/lib/archive" refresh "$codename"
	[ "$status" -ne 0 ]
	one_line "cannot reach the Debian archive"
	run "$top/scripts/lib/archive" versions "$codename" hostname
	[ "$status" -eq 0 ]
	[[ $output == "hostname "* ]]
	nothing_half_made "$(cold_cache)"
}

@test "what a killed run left is not taken for a kernel" {
	real=$("$top/scripts/kernel/fetch-kernel" "$line")
	export EROFS_SHARE_CACHE EROFS_SHARE_MIRROR=$no_archive
	EROFS_SHARE_CACHE=$(cold_cache)
	version=$(basename "$real")
	# Killed before the rename: all but the last file, under the temporary name.
	mkdir -p "$EROFS_SHARE_CACHE/kernels/$line/$version.tmp.abcdef"
	cp "$real"/{vmlinuz,config,release,version,kdir} "$EROFS_SHARE_CACHE/kernels/$line/$version.tmp.abcdef"
	run --separate-stderr "$top/scripts/kernel/fetch-kernel" "$line"
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	# An entry that somebody emptied, under its final name.
	mkdir -p "$EROFS_SHARE_CACHE/kernels/$line/$version"
	cp "$real"/{vmlinuz,config} "$EROFS_SHARE_CACHE/kernels/$line/$version"
	ln -s "$version" "$EROFS_SHARE_CACHE/kernels/$line/current"
	run --separate-stderr "$top/scripts/kernel/fetch-kernel" "$line"
	[ "$status" -ne 0 ]
	[ -z "$output" ]
}

@test "a disk too small for a kernel: one line, before anything is fetched" {
	need_private_mounts
	mkdir "$(cold_cache)"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run --separate-stderr private_mounts bash -c '
		mount -t tmpfs -o size=16m none "$1" || exit 99
		EROFS_SHARE_CACHE=$1 EROFS_SHARE_MIRROR=file:///nonexistent/archive "$2/scripts/kernel/fetch-kernel" "$3"
		status=$?
		find "$1" -name "*.tmp.*"
		exit $status' - "$(cold_cache)" "$top" "$line"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	one_line "has 16 MB free: free some space"
}

@test "a disk that runs full half-way: one line, and the entry is gone" {
	need_private_mounts
	mkdir "$(cold_cache)"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run --separate-stderr private_mounts bash -c '
		mount -t tmpfs -o size=16m none "$1" || exit 99
		export EROFS_SHARE_CACHE=$1
		bash -c "
			set -euo pipefail
			. \"$2/scripts/lib/lib.sh\"
			cache_lock entry
			cache_begin \"$1/entry\"
			step \"unpack\" dd if=/dev/zero of=\"\$cache_tmp/file\" bs=1M count=32
			cache_commit \"$1/entry\""
		status=$?
		find "$1" -name "entry*" -not -path "*/lock/*"
		exit $status' - "$(cold_cache)" "$top"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	one_line "no space left in $(cold_cache): free some"
}
