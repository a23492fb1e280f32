#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The Debian packages: what is in them, what they ask for, what the build by DKMS
# says when it lacks a source, and that it can do with what is in the package. That
# they can be installed, upgraded and removed is for make install-test.

load common

setup_file()
{
	local before
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

	"$top/scripts/build-harness" erofs-share >/dev/null
	before=$(outside)
	"$top/scripts/package/make-deb" >"$BATS_FILE_TMPDIR/table"
	diff <(echo "$before") <(outside) >"$BATS_FILE_TMPDIR/outside" || true
}

# outside: the files beside build/, with their times, and our packages around it.
outside()
{
	find "$top/.." -maxdepth 1 -name 'erofs-inode-share*'
	find "$top" -path "$top/build" -prune -o -path "$top/.git" -prune -o -printf '%p %T@\n' | sort
}

setup()
{
	dkms=$(echo "$top"/build/deb/erofs-inode-share-dkms_*_all.deb)
	tools=$(echo "$top"/build/deb/erofs-inode-share-tools_*.deb)
	version=$(dpkg-deb -f "$dkms" Version)
	kernel_release=6.12.99+deb12-cloud-amd64
	kernel_version=6.12.99-1
	export DPKG_ADMINDIR=$BATS_TEST_TMPDIR/dpkg USR_SRC=$BATS_TEST_TMPDIR/src
	mkdir -p "$DPKG_ADMINDIR" "$USR_SRC" "$BATS_TEST_TMPDIR/build"
	: >"$DPKG_ADMINDIR/status"
	# DKMS calls it in the build directory.
	cd "$BATS_TEST_TMPDIR/build"
}

# installed PACKAGE VERSION: let dpkg say that it is installed.
installed()
{
	printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nMaintainer: x <x@y>\nDescription: x\n\n' \
		"$1" "$2" >>"$DPKG_ADMINDIR/status"
}

# source_package: lay out a linux-source-6.12 with the kernel's fs/erofs.
source_package()
{
	local kernel

	kernel=$("$top/scripts/kernel/fetch-kernel" "$line")
	mkdir -p "$BATS_TEST_TMPDIR/linux-source-6.12/fs"
	cp -r "$kernel/source/fs/erofs" "$BATS_TEST_TMPDIR/linux-source-6.12/fs"
	tar -C "$BATS_TEST_TMPDIR" -cJf "$USR_SRC/linux-source-6.12.tar.xz" linux-source-6.12
}

dkms_source()
{
	"$top/scripts/kernel/dkms-source" "$kernel_release" linux-source
}

# contents DEB: the paths of its files, one a line.
contents()
{
	dpkg-deb -c "$1" | awk '/^-/ { print $6 }' | sort
}

# listed HELP: the options and commands that a --help lists, one a line.
listed()
{
	awk '/^Subcommands:/ { commands = 1; next }
		commands && /^  [a-z]/ { print $1 }
		/^ +(-[a-zA-Z],)?--[a-z]/ { sub(/^-[a-zA-Z],/, "", $1); print $1 }'
}

# offered WORD...: what the completion offers for a command line whose last word
# is to be completed, one a line.
offered()
{
	bash -c '. /usr/share/bash-completion/bash_completion
		. "$0/harness/tool/erofs-share.bash-completion"
		COMP_WORDS=("$0/build/harness/erofs-share" "$@") COMP_CWORD=$#
		COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE}
		_erofs_share
		printf "%s\n" "${COMPREPLY[@]}"' "$top" "$@"
}

@test "make deb leaves nothing outside of build/" {
	cat "$BATS_FILE_TMPDIR/outside"
	[ ! -s "$BATS_FILE_TMPDIR/outside" ]
}

@test "lintian has no objection, at any severity" {
	run --separate-stderr lintian --allow-root --display-info --pedantic "$top"/build/deb/*.changes
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the table names both packages and their sizes" {
	grep -qE "^erofs-inode-share-dkms +$version +all +[0-9]+ KB +[0-9]+ KB +[0-9]+$" "$BATS_FILE_TMPDIR/table"
	grep -qE "^erofs-inode-share-tools +$version +amd64 +[0-9]+ KB +[0-9]+ KB +[0-9]+$" "$BATS_FILE_TMPDIR/table"
}

@test "the DKMS package has our source, and nothing of the kernel's" {
	local tree=./usr/src/erofs-inode-share-$version
	{
		printf '%s\n' dkms.conf kmod/debian/changelog \
			scripts/lib/lib.sh scripts/kernel/{apply-hooks,build-module,dkms-source,fetch-kernel}
		(cd "$top" && find kmod -type f ! -path 'kmod/debian/*')
	} | sed "s,^,$tree/," | sort >wanted
	contents "$dkms" | grep "^$tree/" >found
	diff wanted found
	run ! grep -vE "^($tree|./usr/share/(doc|lintian))/" <(contents "$dkms")
}

@test "the tools package has programs, manuals and completion" {
	for file in usr/bin/erofs-share usr/sbin/mount.erofs-share \
			usr/share/doc/erofs-inode-share-tools/examples/erofs-share-metrics.{service,timer} \
			usr/share/man/man8/{erofs-share,mount.erofs-share}.8.gz \
			usr/share/bash-completion/completions/erofs-share; do
		contents "$tools" | grep -qxF "./$file" || { echo "$file is missing"; return 1; }
	done
	run ! grep -vE '^./usr/(s?bin|share/(man/man8|bash-completion|doc|lintian))/' <(contents "$tools")
}

@test "the DKMS package depends on coccinelle, dkms and a kernel source" {
	depends=$(dpkg-deb -f "$dkms" Depends)
	[[ $depends =~ (^|, )coccinelle(,|$) ]]
	# Without it DKMS makes no key and signs nothing.
	[[ $depends =~ (^|, )openssl(,|$) ]]
	[[ $depends =~ (^|, )dkms\ \( ]]
	[[ $depends =~ (^|, )linux-source\ \|\ linux-source-6.12\ \|\ linux-source-6.1(,|$) ]]
}

@test "the packages ask for no headers: those of the running kernel are for the administrator to name" {
	[ "$(dpkg-deb -f "$dkms" Recommends)" = erofs-inode-share-tools ]
	run ! grep -q linux-headers <(dpkg-deb -f "$dkms" Depends Recommends Suggests; dpkg-deb -f "$tools" Depends Recommends Suggests)
}

@test "one version: changelog, packages, dkms.conf and module" {
	[ "$version" = "$(dpkg-parsechangelog -l "$top/kmod/debian/changelog" -S Version)" ]
	dpkg-deb --fsys-tarfile "$dkms" | tar -xO "./usr/src/erofs-inode-share-$version/dkms.conf" |
		grep -qxF "PACKAGE_VERSION=\"$version\""
	"$top/scripts/kernel/build-module" "$line" "$top/build/$line" 2>/dev/null
	[ "$(modinfo -F version "$top/build/$line/erofs.ko")" = "$version" ]
}

@test "without the kernel's source the build stops, with the command that installs it" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	run --separate-stderr dkms_source
	[ "$status" -ne 0 ]
	one_line "kernel $kernel_release needs the source it was built from"
	one_line "apt-get install linux-source-6.12=$kernel_version && dkms autoinstall -k $kernel_release"
	[ ! -e linux-source ]
	grep -qF "apt-get install linux-source-6.12=$kernel_version" make.log
}

@test "a source of another line does not count" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	installed linux-source-6.1 6.1.200-1
	run --separate-stderr dkms_source
	[ "$status" -ne 0 ]
	one_line "apt-get install linux-source-6.12=$kernel_version"
}

@test "a removed source package does not count" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	installed linux-source-6.12 "$kernel_version"
	sed -i '/^Package: linux-source/,/^$/s/^Status: .*/Status: deinstall ok config-files/' "$DPKG_ADMINDIR/status"
	run --separate-stderr dkms_source
	[ "$status" -ne 0 ]
	one_line "linux-source-6.12 is not installed"
}

@test "in a kernel update: packages that are unpacked and not yet configured count" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	installed linux-source-6.12 "$kernel_version"
	sed -i 's/^Status: .*/Status: install ok unpacked/' "$DPKG_ADMINDIR/status"
	source_package
	run --separate-stderr dkms_source
	[ "$status" -eq 0 ]
	one_line "fs/erofs of linux-source-6.12 $kernel_version for kernel $kernel_release"
}

@test "an installed source package without its file: reinstall it" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	installed linux-source-6.12 "$kernel_version"
	run --separate-stderr dkms_source
	[ "$status" -ne 0 ]
	one_line "apt-get install --reinstall linux-source-6.12"
}

@test "a source package cut short: one line, and nothing half unpacked" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	installed linux-source-6.12 "$kernel_version"
	source_package
	for cut in 100 20000; do	# when all has been unpacked; in the middle
		truncate -s "-$cut" "$USR_SRC/linux-source-6.12.tar.xz"
		run --separate-stderr dkms_source
		[ "$status" -ne 0 ]
		one_line "cannot unpack fs/erofs from $USR_SRC/linux-source-6.12.tar.xz"
		[ ! -e linux-source ]
	done
}

@test "a kernel that is no package of Debian's is refused" {
	run --separate-stderr "$top/scripts/kernel/dkms-source" 6.12.0-custom linux-source
	[ "$status" -ne 0 ]
	one_line "kernel 6.12.0-custom is not from a package of Debian's"
}

@test "a source of another version of the line: a warning that names both" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	installed linux-source-6.12 6.12.98-2
	source_package
	run --separate-stderr dkms_source
	[ "$status" -eq 0 ]
	[[ $stderr == *"warning: kernel $kernel_release is of version $kernel_version, linux-source-6.12 of version 6.12.98-2"* ]]
	[ -f linux-source/fs/erofs/super.c ]
}

@test "the kernel's own source: no warning" {
	installed "linux-headers-$kernel_release" "$kernel_version"
	installed linux-source-6.12 "$kernel_version"
	source_package
	run --separate-stderr dkms_source
	[ "$status" -eq 0 ]
	one_line "fs/erofs of linux-source-6.12 $kernel_version for kernel $kernel_release"
}

@test "the package's tree is enough to build the module, as dkms.conf says" {
	local kernel kernelver kernel_source_dir

	kernel=$("$top/scripts/kernel/fetch-kernel" "$line")
	kernelver=$(<"$kernel/release") kernel_source_dir=$kernel/$(<"$kernel/kdir")
	installed "linux-headers-$kernelver" "$(<"$kernel/version")"
	installed "linux-source-${line%%-*}" "$(<"$kernel/version")"
	mkdir -p "$BATS_TEST_TMPDIR/linux/fs"
	cp -r "$kernel/source/fs/erofs" "$BATS_TEST_TMPDIR/linux/fs"
	tar -C "$BATS_TEST_TMPDIR" -cJf "$USR_SRC/linux-source-${line%%-*}.tar.xz" linux
	dpkg-deb -x "$dkms" unpacked
	cd "unpacked/usr/src/erofs-inode-share-$version"
	# shellcheck source=/dev/null # what DKMS does with it
	. ./dkms.conf
	[[ $kernelver =~ $BUILD_EXCLUSIVE_KERNEL ]]
	$PRE_BUILD
	eval "$CLEAN"
	env -u DPKG_ADMINDIR bash -c "${MAKE[0]}" >make.out 2>&1 || { tail make.out; return 1; }
	ko=${BUILT_MODULE_LOCATION[0]}/${BUILT_MODULE_NAME[0]}.ko
	[ "$(modinfo -F version "$ko")" = "$version" ]
	[[ $(modinfo -F vermagic "$ko") == "$kernelver "* ]]
	[[ ${DEST_MODULE_LOCATION[0]} == /updates* ]]
	# DKMS 3.0 calls MAKE after a PRE_BUILD that failed.
	rm -rf linux-source
	run ! bash -c "${MAKE[0]}"
}

@test "completion offers every command and option that --help lists" {
	local tool=$top/build/harness/erofs-share command commands

	commands=$("$tool" --help | listed | sort)
	[ "$(wc -l <<<"$commands")" -ge 6 ]
	diff <(echo "$commands") <({ offered ''; } | sort)
	for command in $(grep -v '^-' <<<"$commands"); do
		echo "of $command:"
		diff <("$tool" "$command" --help | listed | sort) <(offered "$command" -- | sort)
	done
}

@test "completion knows arguments: images, directories, and files after --device" {
	mkdir results.d
	touch results.erofs
	[ "$(offered estimate res | sort | paste -sd ' ')" = 'results.d results.erofs' ]
	[ "$(offered umount res)" = results.d ]
	[ "$(offered check --device results.e)" = results.erofs ]
	# Images first, other files where there is none.
	touch result-of-a-test
	[ "$(offered check result | sort | paste -sd ' ')" = 'results.d results.erofs' ]
	[ "$(offered check result-)" = result-of-a-test ]
	[ -z "$(offered check --most-bytes res)" ]
}

@test "completion knows mounts" {
	local a=$BATS_TEST_TMPDIR/mnt

	printf '%s\n' "/srv/x $a/on\\040e erofs ro 0 0" "none $a/tmp tmpfs rw 0 0" "/srv/y $a/two erofs ro 0 0" >mounts
	mkdir -p "$a/on e" "$a/tmp" "$a/two"
	diff <(printf '%s\n' "$a/on e" "$a/two") \
		<(EROFS_SHARE_MOUNTS=$PWD/mounts offered umount "$a/" | sort)
	diff <(echo "$a/two") <(EROFS_SHARE_MOUNTS=$PWD/mounts offered status "$a/t")
	# Directories on the way, where no mount begins so.
	diff <(echo "$a/tmp") <(EROFS_SHARE_MOUNTS=$PWD/mounts offered umount "$a/tm")
}

@test "the manual has every command and option that --help lists" {
	local tool=$top/build/harness/erofs-share command word text

	text=$(MANWIDTH=200 man -l "$top/Documentation/erofs-share.8" | col -b)
	for command in $("$tool" --help | listed); do
		grep -qE "(^| )$command( |$)" <<<"$text" || { echo "$command is missing"; return 1; }
		[[ $command != -* ]] || continue
		for word in $("$tool" "$command" --help | listed); do
			grep -qF -- "$word" <<<"$text" || { echo "$command $word is missing"; return 1; }
		done
	done
}
