# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the parts of scripts/bench/bench share beside lib.sh: where results go, what
# stands in every table, and a guest of a kernel and a module. Source it after
# lib.sh. The contents of a table are described in harness/bench/bench_table.h.
# shellcheck disable=SC2034,SC2154 # variables for whoever sources it, and lib.sh's

# Where NAME.json go; scripts/bench/bench says it for all parts.
bench_out=${BENCH_OUT:-$(build_dir)/bench}
# How a user makes the tables again; scripts/bench/bench says that too.
bench_command=${BENCH_COMMAND:-scripts/bench/$prog}
mkdir -p "$bench_out"

# qemu_version: print which QEMU runs the guests.
qemu_version()
{
	qemu-system-x86_64 --version | sed -nE '1s/^QEMU emulator version ([0-9.]+).*/\1/p'
}

# bench_kernel LINE MODULE: set $kernel_dir, $vmlinuz and $erofs_ko for a guest of
# kernel line LINE with MODULE, "ours" or "stock".
bench_kernel()
{
	local out

	out=$(build_dir)/$1
	kernel_dir=$("$top/scripts/kernel/fetch-kernel" "$1")
	case $2 in
	ours)
		"$top/scripts/kernel/build-module" "$1" "$out" >&2
		vmlinuz=$out/vmlinuz erofs_ko=$out/erofs.ko ;;
	stock)
		vmlinuz=$kernel_dir/vmlinuz erofs_ko=stock ;;
	*)	die "MODULE is '$2': expected 'ours' or 'stock'" ;;
	esac
}

# Whose images are measured, unless the user names some; each has a program in
# scripts/bench/bench-programs.
bench_packages=(redis-server nginx postgresql-15 tomcat10 mariadb-server openjdk-17-jre-headless python3.11)

# bench_choose_packages [PACKAGE...]: set $packages to these, or to all.
bench_choose_packages()
{
	local package

	packages=("$@")
	[ $# -gt 0 ] || packages=("${bench_packages[@]}")
	for package in "${packages[@]}"; do
		[ -e "$top/scripts/bench/bench-programs/$package" ] ||
			die "'$package': expected a package that scripts/bench/bench-programs has a program of"
	done
}
