#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What erofs-share-lab makes of the benchmarks' tables: bench-report and
# bench-compare, on tables written here by hand.

load common

tool=$top/build/harness/erofs-share-lab

setup()
{
	[ -x "$tool" ] || skip "scripts/build-harness has not built the tool"
	cd "$BATS_TEST_TMPDIR" || return
	mkdir run
}

# table NAME ORDER OURS [CHECKS [ROW]]: a table of two rows, where ours is OURS.
table()
{
	cat <<-EOF
	{ "name": "$1", "order": $2, "title": "Memory <of> $1 & more", "says": "It is $3 & <half>.",
	  "kernel": ["6.12.1-test", "7.3.2-test"], "images": ["redis 1 and 2"], "qemu": "7.2.22",
	  "command": "make bench",
	  "columns": [ {"key": "stock", "title": "stock erofs", "unit": "MB", "digits": 1},
	               {"key": "ours", "title": "ours", "unit": "MB", "digits": 1},
	               {"key": "saved", "title": "saved", "unit": "%", "digits": 1} ],
	  "rows": [ {"name": "redis", "values": {"stock": 371.24, "ours": $3, "saved": 44.9}, "note": ""},
	            {"name": "c<d&e", "values": {"stock": 10, "ours": null}, "note": "a pipe | was broken"} ],
	  "plot": {"kind": "bars", "columns": ["stock", "ours"], "unit": "MB", "log": false},
	  "checks": [ ${4:-} ] }
	EOF
}

good='{"text": "one", "ok": true}'
bad='{"text": "within 2 points", "ok": false, "value": 7.5, "limit": 2}'
idle='{"text": "later", "ok": null}'

# has TEXT: fail unless the output has it.
has()
{
	# shellcheck disable=SC2154 # set by bats' run
	[[ $output == *"$1"* ]] || { printf 'no "%s" in:\n%s\n' "$1" "$output"; return 1; }
}

@test "bench-report: the table, its sentence, cells without a number, notes" {
	table memory 1 204.44 "$good" >run/memory.json
	run "$tool" bench-report run
	[ "$status" -eq 0 ]
	[[ $output =~ \ +"stock erofs, MB"\ +"ours, MB"\ +"saved, %" ]]
	[[ $output =~ redis\ +371.2\ +204.4\ +44.9 ]]
	[[ $output =~ "c<d&e"\ +10.0\ +-\ +- ]]
	has 'c<d&e: a pipe | was broken'
	has $'\nIt is 204.44 & <half>.\n'
	[ "${lines[-1]}" = 'total 1 0 0' ]
}

@test "bench-report: tables stand in their order, not in that of their names" {
	table a 2 1 >run/a.json
	table b 1 2 >run/b.json
	run "$tool" bench-report run
	[[ $output == *'It is 2 '*'It is 1 '* ]]
}

@test "bench-report: checks that fail and that were skipped are named and counted" {
	table memory 1 3 "$good, $bad, $idle" >run/memory.json
	table other 2 3 "$good" >run/other.json
	run "$tool" bench-report run
	[ "$status" -eq 0 ]
	has $'\nFAILED memory: within 2 points (7.5, limit 2)\n'
	has $'\nskipped memory: later\n'
	has '2 of 3 checks hold'
	[ "${lines[-1]}" = 'total 2 1 1' ]
}

@test "bench-report: Markdown escapes what is special there" {
	table memory 1 204.44 >run/memory.json
	"$tool" bench-report run
	run cat run/memory.md
	has '|  | stock erofs, MB | ours, MB | saved, % |'
	has '| redis | 371.2 | 204.4 | 44.9 |'
	has '| c\<d&e | 10.0 | - | - |'
	has 'a pipe \| was broken'
	has '- kernel: 6.12.1-test; 7.3.2-test'
}

@test "bench-report: the page escapes HTML, names what was measured, and needs no script" {
	table memory 1 204.44 "$bad" >run/memory.json
	"$tool" bench-report run
	run cat run/report.html
	has '<h2>Memory &lt;of&gt; memory &amp; more</h2>'
	has '<td>c&lt;d&amp;e</td><td>10.0</td><td>-</td><td>-</td>'
	has '>c&lt;d&amp;e</text>'
	has '<li class="failed">FAILED: within 2 points (7.5, limit 2)</li>'
	for text in '6.12.1-test; 7.3.2-test' 'redis 1 and 2' '7.2.22' 'make bench' '<svg '; do
		has "$text"
	done
	[[ $output != *'<of>'* ]] && [[ $output != *'<script'* ]] && [[ $output != *'http'* ]]
	! python3 -c 'import xml' 2>/dev/null || python3 - <<-'EOF'
	import re, xml.dom.minidom
	for svg in re.findall(r"<svg.*?</svg>", open("run/report.html").read(), re.S):
	    xml.dom.minidom.parseString(svg)
	EOF
}

@test "bench-report: bars are as long as their numbers" {
	table memory 1 185.62 >run/memory.json
	"$tool" bench-report run
	run grep -oE '<rect x="190.0" [^>]*width="[0-9.]+"' run/report.html
	[[ ${lines[0]} == *'width="480.0"' ]]
	[[ ${lines[1]} == *'width="240.0"' ]]
	# No number, no bar.
	[[ ${lines[3]} == *'width="0.0"' ]]
}

@test "bench-report: lines with a logarithmic scale" {
	table memory 1 3 | sed 's/"bars"/"lines"/; s/"log": false/"log": true/' >run/memory.json
	"$tool" bench-report run
	run grep -c '<polyline points="[0-9.]*,[0-9.]* ' run/report.html
	[ "$output" -eq 2 ]
	run cat run/report.html
	has 'MB, logarithmic'
}

@test "bench-report: puts tables between comments of a file, and leaves the rest" {
	table memory 1 204.44 >run/memory.json
	table other 2 5 >run/other.json
	printf '%s\n' before '.. begin memory' stale '.. end memory' '.. begin gone' kept '.. end gone' >page.rst
	run "$tool" bench-report --rst page.rst run
	[ "$status" -eq 0 ]
	has "page.rst has no place for other: no line '.. begin other'"
	run cat page.rst
	has $'before\n.. begin memory\n\n'
	has $'\n.. end memory\n.. begin gone\nkept\n.. end gone'
	[[ $output != *stale* ]]
	[[ $output =~ redis\ +371.2\ +204.4\ +44.9 ]]
	has 'Measured on: kernel: 6.12.1-test; 7.3.2-test'
	cp page.rst once.rst
	"$tool" bench-report --rst page.rst run
	cmp page.rst once.rst
}

@test "bench-report: a place without an end" {
	table memory 1 3 >run/memory.json
	printf '%s\n' before '.. begin memory' after >page.rst
	run --separate-stderr "$tool" bench-report --rst page.rst run
	[ "$status" -ne 0 ]
	one_line "page.rst: '.. begin memory' has no '.. end memory' after it"
	grep -qx after page.rst
}

# refused TEXT: bench-report must end with one line that has TEXT.
refused()
{
	run --separate-stderr "$tool" bench-report run
	[ "$status" -ne 0 ]
	one_line "$1"
	one_line 'run the part of scripts/bench/bench that writes it again'
}

@test "bench-report: a file cut short, and files that are no table, are named" {
	table memory 1 3 | head -c 200 >run/memory.json
	refused 'run/memory.json: no JSON: '
	table other 1 3 >run/memory.json
	refused "run/memory.json: its 'name' is 'other'"
	table memory 1 3 | sed 's/"says"/"said"/' >run/memory.json
	refused "run/memory.json: 'says' is missing"
	table memory 1 3 | sed 's/"ours": 3/"ours": "many"/' >run/memory.json
	refused "run/memory.json, row 'redis': 'ours' must be a number or null"
	table memory 1 3 | sed 's/"ours": null/"theirs": null/' >run/memory.json
	refused "run/memory.json, row 'c<d&e': 'theirs' is no column"
	table memory 1 3 '{"text": "one", "ok": 1}' >run/memory.json
	refused "run/memory.json, checks: 'ok' must be true, false or null"
	echo '[]' >run/memory.json
	refused "run/memory.json: 'name' is missing"
}

@test "bench-report: a directory without tables" {
	run --separate-stderr "$tool" bench-report run
	[ "$status" -ne 0 ]
	one_line 'run: no NAME.json'
}

@test "bench-compare: cells within 2 % agree, percentages within two points" {
	mkdir other
	table memory 1 100 >run/memory.json
	table memory 1 101.9 | sed 's/44.9/46.8/' >other/memory.json
	run "$tool" bench-compare run other
	[ "$status" -eq 0 ]
	has 'All 6 cells of the two runs agree within 2 %.'
}

@test "bench-compare: names each cell that differs or that only one run has" {
	mkdir other
	table memory 1 100 >run/memory.json
	table memory 1 103 | sed 's/"stock": 10, "ours": null/"stock": 10, "ours": 5/' >other/memory.json
	table more 2 1 >other/more.json
	run "$tool" bench-compare run other
	[ "$status" -eq 1 ]
	[[ $output =~ memory\ +redis\ +ours\ +100.0\ +103.0 ]]
	[[ $output =~ memory\ +"c<d&e"\ +ours\ +-\ +5.0 ]]
	[[ $output =~ more\ +redis\ +stock\ +none\ +371.2 ]]
	[ "$(grep -cE '^memory +redis +stock' <<<"$output")" -eq 0 ]
	has '8 of 12 cells of the two runs do not agree within 2 %.'
}

@test "bench: unknown parts and options are refused with what there is" {
	run --separate-stderr "$top/scripts/bench/bench" nothing
	[ "$status" -ne 0 ]
	one_line "unknown part 'nothing'; there are: "
	one_line memory
	run --separate-stderr "$top/scripts/bench/bench" --fast
	[ "$status" -ne 0 ]
	one_line "unknown option '--fast'"
	run --separate-stderr "$top/scripts/bench/bench-memory" no-package
	[ "$status" -ne 0 ]
	one_line "'no-package': expected a package that scripts/bench/bench-programs has a program of"
	run --separate-stderr "$top/scripts/bench/bench-memory" --only reads
	[ "$status" -ne 0 ]
	one_line "--only 'reads': expected one of the tables read zstd mixed start"
	run --separate-stderr "$top/scripts/bench/bench-alternatives" no-package
	[ "$status" -ne 0 ]
	one_line "'no-package': expected a package that scripts/bench/bench-programs has a program of"
}

# reading SIDE KERNEL NAME MEGABYTES...: the records of a guest that read two images.
reading()
{
	local dir=guests/redis-$1 mounts='"a inode_share","b inode_share"'

	mkdir -p "$dir"
	echo "{\"event\":\"hello\",\"kernel\":\"$2\"}" >"$dir/records"
	shift 2
	while [ $# -gt 0 ]; do
		echo "{\"event\":\"bench\",\"name\":\"$1\",\"files\":2,\"bytes\":7,\"cached\":${2}000000,\"mounts\":[$mounts]}"
		shift 2
	done >>"$dir/records"
}

# memory_table: make the table of what reading wrote.
memory_table()
{
	echo '{"package":"redis","old_version":"1","new_version":"2","files":2,"bytes":7,
	       "page_bytes":100000000,"unique_page_bytes":60000000}' >limit.json
	run "$tool" bench-memory-table guests --out run --qemu 1 --command it --limit limit.json --table read
	[ "$status" -eq 0 ]
}

@test "bench-memory-table: what each saves is of what its own kernel takes without" {
	reading stock 6.12 read 100
	reading ours 6.12 read 60
	reading mainline 7.3 read 60 read-plain 80
	memory_table
	[ "$(jq -c '.rows[0].values | [.saved, .saved_mainline, .saved_limit]' run/memory-read.json)" = '[40,25,40]' ]
	[ "$(jq -c '[.checks[].ok] | unique' run/memory-read.json)" = '[true]' ]
	# Without that, nothing is known of it.
	reading mainline 7.3 read 60
	memory_table
	[ "$(jq '.rows[0].values.saved_mainline' run/memory-read.json)" = null ]
}

@test "bench-memory-table: saving less than whole files can is a failed check, and so is a mount that does not share" {
	reading stock 6.12 read 100
	reading ours 6.12 read 63
	memory_table
	run "$tool" bench-report run
	has 'FAILED memory-read: redis: saves what whole-file sharing can, within 2 points (37, limit 40)'
	[ "${lines[-1]}" = "total 2 1 0" ]
	reading ours 6.12 read 60
	sed -i 's/b inode_share/b/' guests/redis-ours/records
	memory_table
	run "$tool" bench-report run
	has 'FAILED memory-read: redis: /proc/mounts shows inode_share twice and no domain'
	[ "${lines[-1]}" = "total 2 1 0" ]
}

# cost ROW COLUMN: print a cell of the table of costs in performance.rst.
cost()
{
	awk -v row="$1" -v column="$2" 'index($0, row "  ") == 1 {
		$0 = substr($0, length(row) + 1); print $column; exit }' "$top/Documentation/performance.rst"
}

@test "README: what an open file costs is what performance.rst says was measured" {
	text=$(tr '\n' ' ' <"$top/README.md")
	for words in "close take x$(cost 'open+read 4 KiB+close' 2) of the" \
		"own sharing: x$(cost 'open+read 4 KiB+close' 5))" \
		"cold stat x$(cost 'stat, cold' 2) (x$(cost 'stat, cold' 5))" \
		"open and read of a file x$(cost 'first open+read+close' 2)."; do
		[[ $words =~ x1\.[0-9] ]]
		[[ $text == *"$words"* ]] || {
			echo "README.md does not say: $words"
			return 1
		}
	done
}
