#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# erofs-share status, on a /proc and a /sys that are made here: what it sorts, how it
# prints names of any bytes, metrics that their own parser reads, a thousand mounts in
# a second, and what it says where nothing shares. With real mounts it is tested in
# guests, by counters_test.cpp and status_path_test.cpp.

load common

setup_file()
{
	export tool=$BATS_FILE_TMPDIR/erofs-share
	cp "$("$top/scripts/build-harness" erofs-share)/erofs-share" "$tool"
	# An ordinary user comes here, too.
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
}

setup()
{
	cd "$BATS_TEST_TMPDIR"
	root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root"/proc/{self,sys/kernel} "$root"/sys/{fs/erofs,module/erofs} "$root/lib/modules/6.1/updates/dkms"
	chmod 755 "$BATS_TEST_TMPDIR"
	: >"$root/proc/self/mountinfo"
	printf 'nodev\tproc\n\terofs\n' >"$root/proc/filesystems"
	echo 6.1 >"$root/proc/sys/kernel/osrelease"
	echo 1.0 >"$root/sys/module/erofs/version"
	id=100
}

# mounted MINOR SOURCE TARGET OPTIONS: a line of the mount table, as it is there.
mounted()
{
	printf '%d 1 7:%d / %s ro,relatime shared:1 - erofs %s ro,%s\n' $((id++)) "$1" "$3" "$2" "$4" \
		>>"$root/proc/self/mountinfo"
}

# counters MINOR DOMAIN FILES RESIDENT FOREIGN [INODES RESIDENT SAVED]: those of a mount.
counters()
{
	local share=$root/sys/fs/erofs/loop$1/share

	mkdir -p "$share"
	echo "7:$1" >"$share/dev"
	echo "$2" >"$share/domain"
	echo "$3" >"$share/files"
	echo "$4" >"$share/resident_bytes"
	echo "$5" >"$share/foreign_bytes"
	echo "${6:-0}" >"$share/domain_inodes"
	echo "${7:-0}" >"$share/domain_resident_bytes"
	echo "${8:-0}" >"$share/domain_saved_bytes"
}

# two_domains: three mounts in two domains, the second of which saves more.
two_domains()
{
	mounted 1 /srv/a.erofs /mnt/a inode_share
	mounted 2 /srv/b.erofs /mnt/b inode_share
	mounted 3 /srv/c.erofs /mnt/c inode_share
	mounted 4 /srv/d.erofs /mnt/d user_xattr
	counters 1 1 5 8192 0 5 8192 0
	counters 2 2 6 12288 4096 9 16384 12288
	counters 3 2 7 16384 8192 9 16384 12288
}

status()
{
	run --separate-stderr "$tool" status --root "$root" "$@"
}

# as_nobody COMMAND...: run it as an ordinary user.
as_nobody()
{
	local as=()

	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	run --separate-stderr "${as[@]}" "$@"
}

@test "the domain that saves most is first, and in it the mount that takes most" {
	two_domains
	status
	[ "$status" -eq 0 ]
	[ "$(awk '/^\/srv/ { print $1 }' <<<"$output" | paste -sd ' ')" = '/srv/c.erofs /srv/b.erofs /srv/a.erofs' ]
	[ "$(awk '/^ +[0-9]/ { print $1 }' <<<"$output" | paste -sd ' ')" = '2 1' ]
	[ "${lines[-1]}" = 'Sharing saves 12K now.' ]
	status --json
	[ "$(jq -c '[.mounts[].source]' <<<"$output")" = '["/srv/c.erofs","/srv/b.erofs","/srv/a.erofs"]' ]
	[ "$(jq -c '[.saved_bytes, .unshared_mounts, .module.kind, .module.version]' <<<"$output")" = \
		'[12288,1,"erofs-inode-share","1.0"]' ]
}

@test "names of any bytes are quoted in tables and valid in JSON and metrics" {
	mounted 1 $'/srv/caf\xe9\\040\e[31m.erofs' $'/mnt/line\\012saved\\134\\"\xff' inode_share
	counters 1 1 5 8192 0 5 8192 0
	status
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 5 ]
	[[ ${lines[1]} == "\$'/srv/caf\\351 \\033[31m.erofs'"* ]]
	[[ $output != *$'\e'* ]]
	status --json
	[ "$status" -eq 0 ]
	[ "$(jq -r '.mounts[0].targets[0]' <<<"$output")" = $'/mnt/line\nsaved\\\\"\ufffd' ]
	status --openmetrics
	[ "$status" -eq 0 ]
	grep -qF 'target="/mnt/line\nsaved\\\\\"' <<<"$output"
	iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null
}

@test "a mount table with broken escapes is read as it stands" {
	mounted 1 '/srv/\9zz' '/mnt/\04' inode_share
	counters 1 1 5 8192 0 5 8192 0
	status --json
	[ "$status" -eq 0 ]
	[ "$(jq -r '.mounts[0].source' <<<"$output")" = '/srv/\9zz' ]
}

@test "an empty or strange counter is named" {
	two_domains
	for bad in '' x 12x -1; do
		echo "$bad" >"$root/sys/fs/erofs/loop2/share/files"
		status
		[ "$status" -eq 2 ]
		one_line "loop2/share/files: expected a number"
	done
}

@test "a mount that goes meanwhile is left out" {
	two_domains
	rm "$root/sys/fs/erofs/loop2/share/files"
	status --json
	[ "$status" -eq 0 ]
	[ "$(jq '.mounts | length' <<<"$output")" -eq 2 ]
}

@test "where nothing shares it says why" {
	status
	[ "$status" -eq 0 ]
	[ "$output" = 'No mount shares page cache (mount option inode_share).' ]
	mounted 4 /srv/d.erofs /mnt/d user_xattr
	status
	[ "${lines[1]}" = '1 EROFS mount without the option.' ]
	# The kernel's own module.
	rm "$root/sys/module/erofs/version"
	status
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *"kernel's own: install erofs-inode-share-dkms"* ]]
	[ "$("$tool" status --json --root "$root" | jq -r .module.kind)" = kernel ]
	: >"$root/lib/modules/6.1/updates/dkms/erofs.ko.xz"
	status
	[[ ${lines[0]} == *"though the one that shares is installed: unmount all of erofs"* ]]
	# One that shares, but does not count.
	mounted 5 /srv/e.erofs /mnt/e inode_share
	status
	[[ $output == '1 EROFS mount with inode_share, but what they share is not counted: '* ]]
	# None.
	echo 'nodev	proc' >"$root/proc/filesystems"
	: >"$root/proc/self/mountinfo"
	status
	[[ $output == *'no erofs module is loaded: modprobe erofs.' ]]
}

@test "an ordinary user hears of the module, and who may ask for numbers" {
	rm "$root/sys/module/erofs/version"
	as_nobody "$tool" status --root "$root"
	[ "$status" -eq 0 ]
	[[ $output == *"kernel's own"* ]]
	two_domains
	chmod 400 "$root"/sys/fs/erofs/*/share/*
	as_nobody "$tool" status --root "$root"
	[ "$(id -u)" -eq 0 ] || skip "only root's files are closed to us"
	[ "$status" -eq 2 ]
	one_line "only root with CAP_SYS_ADMIN may read what mounts share; try sudo"
}

@test "metrics are read by the parsers of Prometheus" {
	two_domains
	mounted 5 $'/srv/caf\xe9 "x"\\134.erofs' $'/mnt/\\012e' inode_share
	counters 5 3 1 4096 0 1 4096 0
	"$tool" status --root "$root" --openmetrics >metrics
	python3 - metrics <<-'EOF' || [ "$?" -eq 77 ]
		import sys
		try:
		    from prometheus_client import openmetrics, parser
		    from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
		except ImportError:
		    sys.exit(77)
		text = open(sys.argv[1], encoding="utf-8").read()
		for parse in (strict, parser.text_string_to_metric_families):
		    samples = [s for family in parse(text) for s in family.samples]
		    saved = {s.labels["domain"]: s.value for s in samples if s.name == "erofs_share_domain_saved_bytes"}
		    assert saved == {"1": 0, "2": 12288, "3": 0}, saved
		    files = {s.labels["target"]: s.value for s in samples if s.name == "erofs_share_mount_files"}
		    assert files["/mnt/\ne"] == 1 and len(files) == 4, files
		    assert [s.value for s in samples if s.name == "erofs_share_unshared_mounts"] == [1]
	EOF
	if command -v promtool; then
		promtool check metrics <metrics
	fi
	# Without either, at least by their grammar.
	[ "$(tail -n 1 metrics)" = '# EOF' ]
	run ! grep -vE '^(# (HELP|TYPE) erofs_share_[a-z_]+ .*|# EOF|erofs_share_[a-z_]+(\{[a-z]+="([^"\\]|\\[\\n"])*"(,[a-z]+="([^"\\]|\\[\\n"])*")*\})? [0-9]+)$' metrics
}

@test "--output puts a whole file in place of the old one, or leaves that alone" {
	two_domains
	echo old >out.prom
	ln out.prom link
	umask 022
	status --openmetrics --output "$PWD/out.prom"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(tail -n 1 out.prom)" = '# EOF' ]
	[ "$(stat -c %a out.prom)" = 644 ]
	[ "$(cat link)" = old ]
	rm "$root/sys/fs/erofs/loop2/share/dev"
	echo x >"$root/sys/fs/erofs/loop3/share/files"
	status --openmetrics --output "$PWD/out.prom"
	[ "$status" -eq 2 ]
	[ "$(tail -n 1 out.prom)" = '# EOF' ]
	status --json --output "$PWD/nowhere/out"
	[ "$status" -eq 2 ]
	[ -z "$(find . -name '.out*')" ]
}

@test "--output replaces files, and no device, link or directory" {
	local name

	two_domains
	mkdir directory
	mkfifo pipe
	ln -s /dev/stdout link
	status --json --output "$PWD/nowhere/out"
	one_line "$PWD/nowhere/out: cannot make a new file in its directory: No such file or directory"
	for name in directory pipe link; do
		status --json --output "$PWD/$name"
		[ "$status" -eq 2 ]
		one_line "$PWD/$name: expected "
		[ -z "$(find . -name ".$name*")" ]
	done
	[ -p pipe ]
	[ "$(readlink link)" = /dev/stdout ]
}

@test "an empty name is a mistake, and no question about all mounts" {
	two_domains
	status ''
	[ "$status" -gt 100 ]
	[ -z "$output" ]
	[[ $stderr == *'DIR|FILE: expected a name that is not empty'* ]]
	status --output ''
	[ "$status" -gt 100 ]
	[ -z "$output" ]
	[[ $stderr == *'--output: expected a name that is not empty'* ]]
	status --interval 2
	[ "$status" -gt 100 ]
}

@test "a full disk behind standard output is named" {
	[ -c /dev/full ] || skip "no /dev/full"
	two_domains
	run --separate-stderr bash -c '"$1" status --root "$2" >/dev/full' - "$tool" "$root"
	[ "$status" -eq 2 ]
	one_line "write the status to standard output: No space left on device"
}

@test "the example units run what there is, where the package puts it" {
	local units=$top/Documentation/systemd command

	command=$(sed -n 's/^ExecStart=//p' "$units/erofs-share-metrics.service")
	[[ $command == '/usr/bin/erofs-share status --openmetrics --output '*.prom ]]
	if command -v systemd-analyze; then
		mkdir units
		sed "s,^ExecStart=/usr/bin/erofs-share,ExecStart=$tool," "$units/erofs-share-metrics.service" >units/erofs-share-metrics.service
		cp "$units/erofs-share-metrics.timer" units
		run systemd-analyze verify --man=no units/erofs-share-metrics.service units/erofs-share-metrics.timer
		echo "$output"
		[ "$status" -eq 0 ]
	fi
}

@test "a host of a thousand mounts is answered in a second" {
	local start end

	python3 - "$root" <<-'EOF'
		import os, sys
		root = sys.argv[1]
		with open(root + "/proc/self/mountinfo", "w") as table:
		    for i in range(5000):
		        table.write(f"{i} 1 0:{i} / /run/other/{i} rw - tmpfs none rw\n")
		    for i in range(1000):
		        table.write(f"{9000 + i} 1 7:{i} / /srv/mnt/{i} ro - erofs /srv/{i}.erofs ro,inode_share\n")
		for i in range(1000):
		    share = f"{root}/sys/fs/erofs/loop{i}/share"
		    os.makedirs(share)
		    for name, value in dict(dev=f"7:{i}", domain=i % 50 + 1, files=i, resident_bytes=i * 4096,
		                            foreign_bytes=i * 1024, domain_inodes=9, domain_resident_bytes=8192,
		                            domain_saved_bytes=4096).items():
		        with open(f"{share}/{name}", "w") as file:
		            file.write(f"{value}\n")
	EOF
	for form in '' --json --openmetrics; do
		start=$(date +%s%N)
		# shellcheck disable=SC2086 # none or one word
		"$tool" status --root "$root" $form >out
		end=$(date +%s%N)
		echo "status $form: $(((end - start) / 1000000)) ms"
		[ $((end - start)) -lt 1000000000 ]
		[ "$(wc -c <out)" -gt 10000 ] || return 1
	done
	"$tool" status --root "$root" --json | jq -e '(.mounts | length) == 1000 and (.domains | length) == 50'
}

# on_terminal COMMAND...: run it on a terminal of 10 rows and 40 columns until it has
# drawn a few times, and print what it wrote.
on_terminal()
{
	python3 - "$@" <<-'EOF'
		import fcntl, os, pty, select, struct, sys, termios, time
		pid, fd = pty.fork()
		if pid == 0:
		    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 40, 0, 0))
		    os.execv(sys.argv[1], sys.argv[1:])
		end, text = time.time() + 10, b""
		while time.time() < end and text.count(b"\033[H") < 4:
		    if select.select([fd], [], [], 0.1)[0]:
		        text += os.read(fd, 65536)
		os.kill(pid, 15)
		os.waitpid(pid, 0)
		sys.stdout.buffer.write(text)
	EOF
}

@test "--watch draws over itself, fits the screen and keeps what matters" {
	local i

	two_domains
	for i in {10..40}; do
		mounted "$i" "/srv/$i.erofs" "/mnt/a-long-name-of-a-directory/$i" inode_share
		counters "$i" 2 1 4096 0 9 16384 12288
	done
	on_terminal "$tool" status --root "$root" --watch 0.1 >screen
	# Cleared once, at the start.
	[ "$(grep -c $'\033\\[2J' screen)" -eq 1 ]
	python3 - screen <<-'EOF'
		import re, sys
		text = open(sys.argv[1], "rb").read().decode()
		frames = text.split("\033[H")[1:4]
		assert len(frames) == 3, len(frames)
		for frame in frames:
		    assert frame.endswith("\033[J"), repr(frame)
		    rows = [row.rstrip("\r") for row in re.sub("\033\\[[JK]", "", frame).split("\n")]
		    assert len(rows) <= 10, rows
		    assert all(len(row) <= 40 for row in rows), rows
		    assert rows[1].startswith("/srv/c.erofs"), rows
		    assert any("more mounts" in row for row in rows), rows
		    assert rows[-1] == "Sharing saves 12K now.", rows
	EOF
}

@test "--watch takes an interval or the default, and no path" {
	two_domains
	timeout 1 "$tool" status --root "$root" --watch 0.1 --json >out || true
	[ "$(wc -l <out)" -ge 3 ]
	for bad in 0 -1 nan 1e9; do
		status --watch="$bad"
		[ "$status" -gt 100 ]
	done
	status --watch /mnt
	[ "$status" -gt 100 ]
	status --json --openmetrics
	[ "$status" -gt 100 ]
}

@test "status of a mount: with whom it shares, or why it does not" {
	local dir=$BATS_TEST_TMPDIR/mnt

	mkdir -p "$dir"/{a,b,c,d,e,f,plain}
	mounted 1 /srv/a.erofs "$dir/a" inode_share
	mounted 2 /srv/b.erofs "$dir/b" inode_share
	mounted 3 /srv/c.erofs "$dir/c" inode_share
	mounted 4 /nowhere/d.erofs "$dir/d" user_xattr
	mounted 5 /nowhere/e.erofs "$dir/e" dax=always
	mounted 6 /srv/f.erofs "$dir/f" inode_share
	printf '9 1 8:1 / %s rw - ext4 /dev/sda1 rw\n' "$dir/plain" >>"$root/proc/self/mountinfo"
	counters 1 1 5 8192 0 5 8192 0
	counters 2 2 6 12288 4096 9 16384 12288
	counters 3 2 0 0 0 9 16384 12288
	status "$dir/b" && [ "$status" -eq 0 ]
	[ "${lines[0]}" = "$dir/b: shares, with 1 other mount." ]
	[ "${lines[1]}" = "    $dir/c" ]
	[ "${lines[2]}" = "It is in domain 2, mounted from /srv/b.erofs." ]
	reason a other_domain 1
	reason b shares 0
	reason c never_opened 1
	reason d no_option 1
	reason e dax 1
	reason f unknown 2
	reason plain not_erofs 1
	rm -r "$root"/sys/fs/erofs/loop[23]
	reason a alone 1
	status "$dir/nothing"
	[ "$status" -eq 2 ]
	one_line "$dir/nothing: expected a directory or a file, on a mount to tell about: No such file or directory"
	status "$dir/a" --openmetrics
	[ "$status" -gt 100 ]
}

# reason NAME REASON STATUS: what status says of the mount NAME in $dir.
reason()
{
	status --json "$dir/$1"
	echo "$1: $output"
	[ "$status" -eq "$3" ]
	[ "$(jq -r '[.reason, .kind] | join(" ")' <<<"$output")" = "$2 mount" ]
	[ "$(jq .shares <<<"$output")" = "$([ "$2" = shares ] && echo true || echo false)" ]
}

@test "a command that is misspelt is named, with those that there are" {
	run --separate-stderr "$tool" stat
	[ "$status" -gt 100 ]
	one_line "there is no command stat: did you mean status? There are mount, umount, status"
	run --separate-stderr "$tool" $'x\e[31m'
	[ "$status" -gt 100 ]
	one_line "there is no command \$'x\\033[31m'."
	run --separate-stderr "$tool" --json status
	[ "$status" -gt 100 ]
	one_line "--json: expected a command, and its options behind it"
}
