#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the README tells an administrator to type is what make install-test types in its
# guest: no line is lost on the way, and none is there that the README does not have.

load common

setup()
{
	readme_lines=$top/scripts/package/readme-lines
	cd "$BATS_TEST_TMPDIR"
	cp "$top/README.md" .
}

# section: the code lines of README.md's section, as they stand, continued ones as one.
section()
{
	sed -n '/^## Use it on a host$/,/^## [^U]/p' README.md | sed -n '/^```$/,/^```$/{ /^```$/d; /^$/d; p }' |
		perl -0pe 's/ *\\\n */ /g'
}

# typed WHERE: the lines that are typed there.
typed()
{
	"$readme_lines" README.md | awk -F '\t' -v where="$1" '$1 == where { print $2 }'
}

# insert BEFORE LINE: put LINE into README.md before the line BEFORE.
insert()
{
	grep -qxF -- "$1" README.md
	BEFORE=$1 LINE=$2 perl -i -pe 'print "$ENV{LINE}\n" if $_ eq "$ENV{BEFORE}\n"' README.md
}

@test "each line of the README is typed in the guest, or on the host with a reason" {
	local line

	[ "$(section | wc -l)" -ge 9 ]
	while IFS= read -r line; do
		# In the place of IMAGE and the like, anything without a space.
		line=$(perl -pe 'chomp; $_ = quotemeta; s/\b(IMAGE|DIR|MOUNTPOINT)\b/\\S+/g' <<<"$line")
		"$readme_lines" README.md | grep -qP "^([12]\t$line\t|host\t$line\t.+)\$" || { echo "not typed: $line"; return 1; }
	done < <(section)
}

@test "no line is typed that the README does not have, and all are in its order" {
	diff <(section) <("$readme_lines" README.md | cut -f 2 |
		sed 's,/srv/[a-z]*\.erofs,IMAGE,; s,/srv/tree/[a-z]*,DIR,; s,/mnt/[a-z]*,MOUNTPOINT,' | awk '!seen[$0]++')
}

@test "the host types what is built there; the guest from packages to two mounts, with a reboot between" {
	[ "$(typed host)" = 'make deb' ]
	typed 1 | grep -q '^apt-get install .*\./build/deb/\*\.deb '
	[[ $(typed 1 | tail -n 1) == reboot* ]]
	[ "$(typed 2 | grep -c '^mkfs\.erofs ')" -eq 2 ]
	[ "$(typed 2 | grep '^mount ' | sort -u | wc -l)" -eq 2 ]
	[ "$(typed 2 | grep -o 'domain_id_file=[^, ]*' | sort -u | wc -l)" -eq 1 ]
}

@test "a line or a block that is added to the README is typed" {
	insert 'install -d -m 700 /etc/erofs' 'echo added; exit 7'
	[ "$(typed 2 | head -n 1)" = 'echo added; exit 7' ]
	insert 'The domain id, once; a secret of this host, which only root can read:' $'```\nfalse  # more \\\n    of it\n```\n'
	[ "$(typed 2 | head -n 1)" = 'false  # more of it' ]
	sed -i 's/^mount -t erofs-share -o/mount -v -t erofs-share -o/' README.md
	[ "$(typed 2 | grep -c '^mount -v ')" -eq 2 ]
}

@test "a line for the host that was changed is typed in the guest" {
	sed -i 's/^make deb$/make deb KERNEL=6.1/' README.md
	[ -z "$(typed host)" ]
	typed 1 | grep -qx 'make deb KERNEL=6.1'
}

@test "a word in capitals that nobody knows stops it, as does a README without the section" {
	insert 'mkfs.erofs --xattr-inode-digest IMAGE DIR' 'mkdir PLACE'
	run --separate-stderr "$readme_lines" README.md
	[ "$status" -ne 0 ]
	one_line "'mkdir PLACE': nothing is known to put in for PLACE"
	sed -i 's/^## Use it on a host$/## Install/' README.md
	run --separate-stderr "$readme_lines" README.md
	[ "$status" -ne 0 ]
	one_line "no commands in a section 'Use it on a host'"
}

@test "inode_share.rst names the same lines" {
	local rst=$top/Documentation/inode_share.rst line

	while IFS= read -r line; do
		# In the manual the reboot is text, and the mount line names an image.
		[[ $line != reboot* && $line != mount* ]] || continue
		sed 's/^ *//' "$rst" | perl -0pe 's/ *\\\n */ /g' | grep -qxF -- "$(sed 's/ *#.*//' <<<"$line")" ||
			{ echo "not in inode_share.rst: $line"; return 1; }
	done < <(section)
	grep -qF -- "$(section | sed -n 's/ IMAGE MOUNTPOINT$//p')" "$rst"
}

@test "make install-test gives the guest these lines, and compares what was typed" {
	grep -qF 'readme-lines" >"$dir/lines"' "$top/scripts/package/install-test"
	# The guest types what its boot has, and nothing of the README is written in its steps.
	run ! grep -nE 'apt-get install .*\./build/deb|mkfs\.erofs|mount -t erofs-share|/etc/erofs/domain$' "$top/scripts/package/install-steps"
}
