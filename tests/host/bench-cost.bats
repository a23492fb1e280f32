#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The table of costs, made of records as guests send them: the least of all
# rounds counts, and each promise that does not hold is named.

load common

# shellcheck disable=SC2154 # common.bash sets top
setup()
{
	tool=$top/build/harness/erofs-share-lab
	[ -x "$tool" ] || skip "scripts/build-harness has not built the tool"
	dir=$BATS_TEST_TMPDIR
	operations=(stat-cold first-open-read first-open-read-labels open-close open-read-close pread-4k pread-64k mmap-fault)
}

# records NAME PLAIN SHARED [KERNEL]: what a guest sends for which each operation
# costs PLAIN and SHARED at least, and more in another round.
records()
{
	local operation

	mkdir -p "$dir/$1"
	{
		printf '{"event":"hello","kernel":"%s"}\n' "${4:-6.12-test}"
		for operation in "${operations[@]}"; do
			value "$operation" plain 0 $(($2 * 2))
			value "$operation" plain 1 "$2"
			[ "$3" = none ] || value "$operation" shared 0 $(($3 * 3))
			[ "$3" = none ] || value "$operation" shared 1 "$3"
		done
	} >"$dir/$1/records"
}

# value OPERATION MODE ROUND NUMBER
value()
{
	printf '{"event":"cost","operation":"%s","mode":"%s","round":%s,"instructions":%s}\n' "$@"
}

# table SIDE...: make $dir/tables/cost.json of a short run.
table()
{
	rm -rf "$dir/tables"
	mkdir "$dir/tables"
	run "$tool" bench-cost-table --slice --out "$dir/tables" --qemu 1.2 --command it --image one "$@"
}

# failed: print the checks of the table that did not hold, as the report has them.
failed()
{
	"$tool" bench-report "$dir/tables" | grep '^FAILED ' || true
}

# cell ROW COLUMN: a number of the table.
cell()
{
	jq -e --arg row "$1" --arg column "$2" \
		'.rows[] | select(.name == $row).values[$column]' "$dir/tables/cost.json"
}

@test "a ratio is of the least of both sides" {
	records ours 1000 1010
	table "ours:6.12=$dir/ours"
	[ "$status" -eq 0 ]
	[ "$(cell open+close plain)" = 1000 ]
	[ "$(cell open+close ours-6.12)" = 1.01 ]
	[ "$(jq '[.checks[] | select(.ok | not)] | length' "$dir/tables/cost.json")" = 0 ]
	# Each operation's, and that of the first two together.
	[ "$(jq '.checks | length' "$dir/tables/cost.json")" = $((${#operations[@]} + 1)) ]
}

@test "an operation that costs too much is named, and fails" {
	records ours 1000 1010
	sed -i '/"open-close","mode":"shared"/s/"instructions":[0-9]*/"instructions":1030/' "$dir/ours/records"
	table "ours:6.12=$dir/ours"
	[ "$(failed)" = 'FAILED cost: 6.12, open+close: x1.02 or less (1.03, limit 1.02)' ]
}

@test "first opens may cost x1.20" {
	records ours 1000 1010
	sed -i '/"first-open-read","mode":"shared"/s/"instructions":[0-9]*/"instructions":1199/' "$dir/ours/records"
	table "ours:6.12=$dir/ours"
	[ -z "$(failed)" ]
	sed -i '/"first-open-read","mode":"shared"/s/"instructions":[0-9]*/"instructions":1201/' "$dir/ours/records"
	table "ours:6.12=$dir/ours"
	[ "$(failed)" = 'FAILED cost: 6.12, first open+read+close: x1.20 or less (1.201, limit 1.2)' ]
}

@test "mainline's costs are shown and promise nothing" {
	records ours 1000 1010
	records mainline 1000 3000 7.3-test
	table "ours:6.12=$dir/ours" "mainline:7.3=$dir/mainline"
	[ "$status" -eq 0 ]
	[ "$(cell open+close mainline-7.3)" = 3 ]
	[ "$(jq -c .kernel "$dir/tables/cost.json")" = '["6.12-test","7.3-test"]' ]
}

@test "our module without the option is held against the stock one" {
	records ours 1000 1010
	records stock 1000 none
	table "ours:6.12=$dir/ours" "stock:6.12=$dir/stock"
	[ "$status" -eq 0 ]
	[ "$(cell open+close stock-6.12)" = 1 ]
	[ -z "$(failed)" ]
	records stock 970 none
	table "ours:6.12=$dir/ours" "stock:6.12=$dir/stock"
	[[ $(failed) == *'FAILED cost: 6.12, open+close: without inode_share'* ]]
}

@test "two boots that disagree by more than 2 % are a failure" {
	records ours 1000 1010
	records again 1000 990
	table "ours:6.12=$dir/ours" "again:6.12=$dir/again"
	[ -z "$(failed)" ]
	records again 1000 980
	table "ours:6.12=$dir/ours" "again:6.12=$dir/again"
	[[ $(failed) == *'a second boot agrees within 2 %'* ]]
}

@test "a guest that did not count everything makes no table" {
	records ours 1000 1010
	sed -i '/pread-64k/d' "$dir/ours/records"
	table "ours:6.12=$dir/ours"
	[ "$status" -ne 0 ]
	[[ $output == *"no guest counted 'pread-64k' on 6.12"* ]]
	[ ! -e "$dir/tables/cost.json" ]
}

@test "what is no kind of run is refused with those that are" {
	records ours 1000 1010
	table "our:6.12=$dir/ours"
	[ "$status" -ne 0 ]
	[[ $output == *'expected ours:LINE, again:LINE, stock:LINE or mainline:LINE'* ]]
}
