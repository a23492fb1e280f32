#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The manuals against the programs: every command and option that --help lists is
# documented in the part of its command, and nothing else is; exit statuses stand in
# one table; the helps fit a screen.

load common

setup_file()
{
	tool=$("$top/scripts/build-harness" erofs-share)/erofs-share
	export tool
}

setup()
{
	cd "$BATS_TEST_TMPDIR"
}

# manual NAME: print the manual as text.
manual()
{
	MANWIDTH=200 man -l "$top/Documentation/$1.8" | col -b | expand
}

# options_of COMMAND: the long options that its --help lists, one a line.
options_of()
{
	"$tool" "$1" --help | grep -oE '^ +(-[a-zA-Z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -vx -- --help | sort
}

# commands: the commands that --help lists.
commands()
{
	"$tool" --help | awk '/^Subcommands:/ { on = 1; next } on && /^  [a-z]/ { print $1 }'
}

@test "the manual has each command's options, and no others" {
	local command

	[ "$(commands | wc -l)" -ge 5 ]
	for command in $(commands); do
		echo "of $command:"
		# Of status there are two parts, of a command and of a path.
		diff <(options_of "$command") <(manual erofs-share |
			sed -n '/^COMMANDS/,/^   Commands of the project/p' |
			awk -v command="$command" '
				/^       [a-z]/ { on = $1 == command }
				on && /^ +--[a-z]/ { print $1 }' | sort -u)
	done
}

@test "the synopsis names each command and its options" {
	local command option synopsis

	synopsis=$(manual erofs-share | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p')
	for command in $(commands); do
		grep -q "erofs-share $command " <<<"$synopsis"
		for option in $(options_of "$command"); do
			# --interval is what --watch takes.
			[ "$option" != --interval ] || continue
			grep "erofs-share $command " <<<"$synopsis" | grep -qF -- "$option" ||
				{ echo "no $option of $command"; return 1; }
		done
	done
}

@test "exit statuses are one table" {
	table=$(manual erofs-share | sed -n '/^EXIT STATUS/,/^JSON/p')
	for status in 0 1 2 'more than 100' any; do
		grep -qE "^ +.?$status +" <<<"${table//│/ }" || { echo "no $status"; return 1; }
	done
	grep -q 'kExitWrong = 1;' "$top/harness/tool/command_output.h"
	grep -q 'kExitFailed = 2;' "$top/harness/tool/command_output.h"
}

@test "the helper's manual has its options and exit statuses" {
	local page status

	page=$(manual mount.erofs-share)
	for option in $(grep -o 'getopt([^)]*"[^"]*"' "$top/harness/helper/mount_request.cpp" | grep -o '"[^"]*"' | tr -d '":' | grep -o .); do
		case $option in
		t | o | N) continue ;;	# mount(8)'s own business
		esac
		grep -qE "^ +-$option( |$)" <<<"$page" || { echo "no -$option"; return 1; }
	done
	for status in $(grep -oE 'k[A-Z][a-zA-Z]+ = [0-9]+' "$top/harness/helper/mount_failure.h" | grep -oE '[0-9]+'); do
		sed -n '/^EXIT STATUS/,/^[A-Z][A-Z]/p' <<<"$page" | grep -qE "^ +$status( |$)" ||
			{ echo "no status $status"; return 1; }
	done
}

@test "each member of the JSON of status is in the manual" {
	local root=$BATS_TEST_TMPDIR/root page

	mkdir -p "$root/proc/self" "$root/sys/fs/erofs/x/share" "$BATS_TEST_TMPDIR/mnt"
	printf '9 1 7:1 / %s ro - erofs /srv/a ro,inode_share\n' "$BATS_TEST_TMPDIR/mnt" >"$root/proc/self/mountinfo"
	for name in domain files resident_bytes foreign_bytes domain_inodes domain_resident_bytes domain_saved_bytes; do
		echo 1 >"$root/sys/fs/erofs/x/share/$name"
	done
	echo 7:1 >"$root/sys/fs/erofs/x/share/dev"
	page=$(manual erofs-share | sed -n '/^JSON/,/^METRICS/p')
	{
		"$tool" status --json --root "$root"
		"$tool" status --json --root "$root" "$BATS_TEST_TMPDIR/mnt" || true
	} | jq -r '[paths[] | strings] | unique[]' | sort -u >members
	[ "$(wc -l <members)" -ge 25 ]
	while read -r member; do
		grep -qF "\"$member\"" <<<"$page" || { echo "no $member"; return 1; }
	done <members
	# And the names of metrics.
	for member in $("$tool" status --openmetrics --root "$root" | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p'); do
		manual erofs-share | grep -qw "$member" || { echo "no $member"; return 1; }
	done
}

@test "the manuals have no fault that man would warn of" {
	run man --warnings=w -l "$top/Documentation/erofs-share.8" "$top/Documentation/mount.erofs-share.8"
	[ "$status" -eq 0 ]
	[ -z "$(man --warnings -l "$top/Documentation/erofs-share.8" 2>&1 >/dev/null)" ]
	[ -z "$(man --warnings -l "$top/Documentation/mount.erofs-share.8" 2>&1 >/dev/null)" ]
}

@test "helps fit a screen" {
	local command

	for command in '' $(commands); do
		# shellcheck disable=SC2086 # none or one word
		run "$tool" $command --help
		[ "$status" -eq 0 ]
		[ "${#lines[@]}" -le 22 ]
		[ "$(awk '{ print length }' <<<"$output" | sort -n | tail -n 1)" -le 100 ]
	done
}

@test "the helps say how many names a command takes, and where options of mkfs.erofs are" {
	run "$tool" estimate --help
	[[ $output == *'OCI-DIR:TAG...'* && $output != *'x 2'* ]]
	run "$tool" fingerprint --help
	[[ $output == *'behind a --: of mkfs.erofs, as in -- -zlz4hc'* ]]
}
