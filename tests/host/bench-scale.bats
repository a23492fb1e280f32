#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The checks of the scale benchmark and of the alternatives' table, on records
# written here: each passes for what was measured once, and fails when
# one number breaks what it promises.
#
# shellcheck disable=SC2016 # jq's variables

load common

tool=$top/build/harness/erofs-share-lab

setup()
{
	[ -x "$tool" ] || skip "scripts/build-harness has not built the tool"
	cd "$BATS_TEST_TMPDIR" || return
	mkdir run guest
	echo '{"event":"hello","kernel":"6.12.1-test"}' >guest/records
}

# record JQ...: a record of the guest.
record()
{
	jq -nc '{event: "bench"} + '"$1" >>guest/records
}

# mounts MODE MOUNT OPEN UMOUNT: a hundred mounts, each number by its place $i.
mounts()
{
	record "{name: \"mounts\", count: 100, same: false, mode: \"$1\", umount_elapsed: 1000000,
	         used: 2000, slab: 1900, percpu: 0} +
	        ([range(100)] | {mount: map(. as \$i | $2), open: map(. as \$i | $3), umount: map(. as \$i | $4)})"
}

# failed: the failed checks of what the guest sent, a line each.
failed()
{
	"$tool" bench-scale-table --out run --guest guest --qemu 1 --command it
	"$tool" bench-report run | grep '^FAILED' || true
}

# only TEXT: fail unless one check failed, and that one.
only()
{
	run failed
	if [ "${#lines[@]}" -ne 1 ] || [[ $output != *"$1"* ]]; then
		printf 'expected "%s" alone, got:\n%s\n' "$1" "$output"
		return 1
	fi
}

@test "bench-scale: many mounts that cost what they may" {
	mounts plain 100000 28000 84000
	# Now and then a slab takes a page, or an interrupt falls into it.
	mounts one 'if $i % 5 == 3 or $i > 95 then 150000 else 110000 end' \
		'if $i % 4 == 1 or $i > 93 then 40000 else 30000 end' 95000
	mounts own 'if $i < 3 then 400000 else 174000 end' 'if $i == 91 then 145000 else 30000 end' 154000
	run failed
	[ "$output" = '' ]
	# A worker's half a million, as one open of a hundred once had it.
	mounts one 110000 'if $i == 40 then 494175 else 30550 end' 95000
	run failed
	[ "$output" = '' ]
}

@test "bench-scale: one open in ten that costs five times as much" {
	mounts plain 100000 28000 84000
	mounts own 174000 30000 154000
	mounts one 110000 'if $i % 10 == 7 then 150000 else 30000 end' 95000
	only 'one domain: a first open costs little more than without inode_share'
}

@test "bench-scale: a cost that grows with what is there" {
	mounts plain 100000 28000 84000
	mounts own 174000 30000 154000
	mounts one '110000 + 100 * $i' 30000 95000
	only '100, half equal, one domain: the last cost what the first did'
}

@test "bench-scale: a mount, a first open and an unmount that cost too much" {
	mounts plain 100000 28000 84000
	mounts own 174000 30000 154000
	mounts one 121000 30000 95000
	only 'one domain: mounting costs little more than without inode_share (1.21, limit 1.2)'
	mounts one 110000 34000 95000
	only 'one domain: a first open costs little more than without inode_share'
	mounts one 110000 30000 95000
	mounts own 174000 30000 169000
	only 'own domains: unmounting costs little more than without inode_share'
}

# files COUNT FOUND
files()
{
	record "{name: \"files\", count: $1, plain: 30000, made: 36000, found: $2,
	         plain_used: 3000, made_used: 6000, found_used: 4000}"
}

@test "bench-scale: finding a file in a large domain" {
	files 1000 33000
	files 10000 34000
	run failed
	[ "$output" = '' ]
	files 100000 39000
	only 'finding a file costs in the largest domain what it does in the smallest'
}

# threads WAY THREADS PLAIN SHARED
threads()
{
	record "{name: \"threads\", way: \"$1\", threads: $2, plain: [$3, $3, $3], shared: [$4, $4, $4]}"
}

@test "bench-scale: threads that wait for each other" {
	threads again 1 1000 990
	threads again 16 1700 1680
	run failed
	[ "$output" = '' ]
	threads again 16 1700 1500
	run failed
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == *'as many opens in a second as of a plain mount'* ]]
	[[ ${lines[1]} == *'more threads win what they do on a plain mount'* ]]
}

# alternatives [SHARED_BYTES [SHARED_OPEN [SHARED_COLD]]]: the table of guests that
# measured that of inode_share.
alternatives()
{
	local key cached open cold sizes=()

	cp guest/records records
	for key in erofs share erofs-lz4 share-lz4 squashfs ext4 overlay; do
		cached=400000000 open=9000 cold=700000
		[ "$key" != share ] || cached=${1:-226000000} open=${2:-9100} cold=${3:-701000}
		[ "$key" != share-lz4 ] || cached=226000000
		jq -nc --arg key "$key" "{event: \"alternative-memory\", alternative: \$key,
			cached: $cached, buffers: 0, slab: 0},
			{event: \"alternative-cost\", alternative: \$key, open_read_close: $open, cold_read: $cold}"
		sizes+=(--size "$key=1000000")
	done >>records
	mkdir -p memory cost
	cp records memory
	cp records cost
	"$tool" bench-alternatives-table memory cost --out run --qemu 1 --command it "${sizes[@]}" \
		--missing 'dax=no device'
	"$tool" bench-report run | grep '^FAILED' || true
}

@test "bench-alternatives: what sharing must win and may cost" {
	run alternatives
	[ "$output" = '' ]
	run alternatives 399000000
	[[ $output == *'EROFS, inode_share: less page cache than without, MB (399, limit 392)' ]]
	run alternatives 226000000 9300
	[[ $output == *'EROFS, inode_share: open+read+close, x1.02 of without or less'* ]]
	run alternatives 226000000 9100 720000
	[[ $output == *'EROFS, inode_share: cold read, x1.02 of without or less'* ]]
}

@test "bench-alternatives: a measurement that is missing is named" {
	run alternatives
	jq -c 'select(.event != "alternative-memory" or .alternative != "ext4")' records >memory/records
	cp memory/records cost
	run "$tool" bench-alternatives-table memory cost --out run --qemu 1 --command it --missing 'dax=no device' \
		--size erofs=1 --size share=1 --size erofs-lz4=1 --size share-lz4=1 --size squashfs=1 --size ext4=1
	[ "$status" -ne 0 ]
	[[ $output == *"no guest sent 'alternative-memory' of 'ext4'"* ]]
}

# of_packages SHARED_BYTES: the table of two packages, of which the second takes so
# much with inode_share.
of_packages()
{
	local package

	for package in one two; do
		mkdir -p "guests/alternatives-memory-$package"
		jq -c "if .alternative == \"share\" and \"$package\" == \"two\" then .cached = $1 else . end" \
			records >"guests/alternatives-memory-$package/records"
		jq -nc "{package: \"$package\", old_version: \"1\", new_version: \"2\"}" >"$package.json"
	done
	"$tool" bench-alternatives-memory-table guests --limit one.json --limit two.json \
		--out run --qemu 1 --command it &&
		"$tool" bench-report run
}

@test "bench-alternatives: page cache of several packages" {
	run alternatives
	run of_packages 300000000
	[ "$status" -eq 0 ]
	[[ $output == *'25.0 to 43.5 % with inode_share, 0.0 to 0.0 % where both images are overlays'* ]]
	[[ $output != *FAILED* ]]
	run of_packages 399000000
	[[ $output == *'FAILED alternatives-memory: two: EROFS, inode_share: less page cache than without, MB (399, limit 392)'* ]]
	sed -i '/"share-lz4"/d' records
	run of_packages 300000000
	[ "$status" -ne 0 ]
	[[ $output == *"alternatives-memory-one: no guest sent 'alternative-memory' of 'share-lz4'"* ]]
}
