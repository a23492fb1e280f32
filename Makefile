# SPDX-License-Identifier: GPL-2.0-only
#
# Every entry point of the project. The work itself is done by scripts/; each
# target first lets scripts/deps install, or name, what this machine lacks.

# Override on the command line, for example: make module KERNEL=6.12 V=1
KERNEL	?= 6.12
# Build for another kernel than Debian's: its build directory and source tree.
KDIR	?=
KSRC	?=
# 1: show what the long steps print instead of one line each.
V	?= 0

export KERNEL KDIR KSRC V
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo check compare module helper diff lint clean refresh known-kernel

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | awk -F '|' '{ printf "make %-10s %s\n", $$1, $$2 }'
	@echo
	@echo "KERNEL=$(KERNEL) is built for; known: $$(scripts/fetch-kernel --list). V=1 shows everything."

demo: known-kernel ## build, boot, and show the page cache of two real images with and without sharing
	@scripts/deps module images guest
	@scripts/demo

check: known-kernel ## run the whole test suite; the last line is "N passed, M failed"
	@scripts/deps module images guest check
	@scripts/check

compare: known-kernel ## run the suite on our module and on mainline's own sharing, side by side
	@scripts/deps module images guest
	@scripts/compare

module: known-kernel ## build build/KERNEL/erofs.ko (KDIR= and KSRC= replace the downloaded kernel)
	@scripts/deps module
	@scripts/build-module "$(KERNEL)" "build/$(KERNEL)"

helper: ## build build/harness/mount.erofs-share, which mount -t erofs-share runs
	@scripts/deps harness
	@scripts/build-harness mount.erofs-share >/dev/null

diff: known-kernel ## print what the hooks change in the kernel's own files
	@scripts/deps module >&2
	@scripts/build-module --diff "$(KERNEL)"

lint: known-kernel ## check the style and the static correctness of everything
	@scripts/deps module guest lint
	@scripts/lint

clean: ## remove build/; downloads stay
	@rm -rf build

refresh: known-kernel ## ask the archive for newer kernels and packages, and fetch them
	@scripts/deps module images
	@scripts/fetch-kernel --refresh "$(KERNEL)"
	@scripts/erofs-utils --refresh
	@scripts/demo-images --refresh

known-kernel:
ifeq ($(KDIR)$(KSRC),)
	@scripts/fetch-kernel --known "$(KERNEL)"
endif
