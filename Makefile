# SPDX-License-Identifier: GPL-2.0-only
#
# Every entry point of the project. The work itself is done by scripts/; each
# target first lets scripts/deps install, or name, what this machine lacks.

# Override on the command line, for example: make module KERNEL=6.12 V=1
KERNEL	?= 6.12
# Build for another kernel than Debian's: its build directory and source tree.
KDIR	?=
KSRC	?=
# Of the kernel that watches itself: kasan, or kcsan.
VARIANT	?= kasan
debug-line = 6.12-$(if $(filter kasan,$(VARIANT)),debug,$(VARIANT))
# How many hostile images "make fuzz" mounts.
FUZZ_MUTANTS ?= 20000
# 1: build even for a kernel that is newer than the newest which is tested.
FORCE	?= 0
# 1: show what the long steps print instead of one line each.
V	?= 0
# What boots guests: qemu, or vng (virtme-ng).
RUNNER	?= qemu

export KERNEL KDIR KSRC FORCE V RUNNER
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo quick check check-all shell matrix kernels compare module load helper deb install-test diff lint clean refresh
.PHONY: bench known-kernel debug-kernel check-debug faults fuzz stress soak

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | awk -F '|' '{ printf "make %-13s %s\n", $$1, $$2 }'
	@echo
	@echo "KERNEL=$(KERNEL) is built for; known: $$(scripts/kernel/fetch-kernel --list). V=1 shows everything."

demo: known-kernel ## build, boot, and show the page cache of two real images with and without sharing
	@scripts/deps module images guest
	@scripts/bench/demo

quick: known-kernel ## build what changed, and run a few suites in one guest: three minutes
	@scripts/deps module images guest
	@scripts/check/check --quick

check: known-kernel ## run the tests; the last line is "N passed, M failed"; PATTERN='Remount*' runs one suite
	@scripts/deps module images guest $(if $(PATTERN),,deb check)
	@scripts/check/check $(if $(PATTERN),'$(PATTERN)')

shell: known-kernel ## a shell in a guest with the module, the test images and the tools
	@scripts/deps module images guest shell
	@scripts/guest/shell

check-all: known-kernel ## run them all: also on the debug kernel, all mutants, stress, short benchmarks
	@scripts/deps module images guest deb check
	@KERNEL=6.12-debug scripts/deps module
	@scripts/check/check --all

soak: known-kernel ## 10 000 times mount, read, umount: nothing may stay behind
	@scripts/deps module images guest
	@scripts/check/soak 10000

matrix: ## run the guest tests on the newest and oldest kernel of every line and print one table
	@KERNEL= scripts/deps module images guest
	@scripts/check/matrix

kernels: ## build the module for every kernel that the archive holds and print one table
	@KERNEL= scripts/deps module
	@scripts/kernel/kernels

compare: known-kernel ## run the suite on our module and on mainline's own sharing, side by side
	@scripts/deps module images guest
	@scripts/check/compare

bench: known-kernel ## measure memory, scale and cost against the stock module and mainline (hours)
	@KERNEL= scripts/deps module images guest bench
	@scripts/bench/bench

fuzz: ## mount FUZZ_MUTANTS=20000 hostile images on the debug kernel
	@KERNEL=6.12-debug scripts/deps module images guest
	@scripts/check/fuzz --fast $(FUZZ_MUTANTS)

debug-kernel: ## build a kernel with KASAN, lockdep, kmemleak and fault injection (VARIANT=kcsan: with KCSAN)
	@KERNEL=$(debug-line) scripts/deps module
	@scripts/kernel/fetch-kernel $(debug-line)

check-debug: ## run the suite on that kernel: each complaint with its trace, and the coverage of our files
	@KERNEL=$(debug-line) scripts/deps module images guest debug
	@KERNEL=$(debug-line) scripts/check/check-debug

faults: ## make each allocation and block request fail in turn, on a kernel with KASAN and kmemleak
	@KERNEL=6.12-debug scripts/deps module images guest
	@scripts/check/check-faults --all

stress: ## half an hour of random mounts, reads and reclaim by many threads on that kernel
	@KERNEL=$(debug-line) scripts/deps module images guest
	@KERNEL=$(debug-line) scripts/check/stress 1800

module: known-kernel ## build build/KERNEL/erofs.ko (KDIR= and KSRC= replace the downloaded kernel)
	@scripts/deps module
	@scripts/kernel/build-module "$(KERNEL)" "build/$(KERNEL)"

load: ## load build/KERNEL/erofs.ko on this machine, which must run that kernel
	@scripts/kernel/load "build/$(KERNEL)/erofs.ko"

helper: ## build build/harness/mount.erofs-share, which mount -t erofs-share runs
	@scripts/deps product
	@scripts/build-harness mount.erofs-share >/dev/null

deb: known-kernel ## build the Debian packages in build/deb: the module by DKMS, and the tools
	@scripts/deps deb
	@scripts/package/make-deb

install-test: known-kernel ## install the packages in a guest with a whole Debian, upgrade, remove (30 min)
	@scripts/deps module images guest deb install-test
	@scripts/package/make-deb
	@scripts/package/install-test

diff: known-kernel ## print what the hooks change in the kernel's own files
	@scripts/deps module >&2
	@scripts/kernel/build-module --diff "$(KERNEL)"

lint: known-kernel ## check the style and the static correctness of everything
	@scripts/deps module guest lint
	@scripts/check/lint

clean: ## remove build/; downloads stay
	@rm -rf build

refresh: known-kernel ## ask the archive for newer kernels and packages, and fetch them
	@scripts/deps module images
	@scripts/kernel/fetch-kernel --refresh "$(KERNEL)"
	@scripts/images/erofs-utils --refresh
	@scripts/images/demo-images --refresh

known-kernel:
ifeq ($(KDIR)$(KSRC),)
	@scripts/kernel/fetch-kernel --known "$(KERNEL)"
endif
