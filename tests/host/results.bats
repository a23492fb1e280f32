#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What erofs-share-lab makes of the guests' records: report, compare and parity, on
# records written here by hand.

load common

tool=$top/build/harness/erofs-share-lab

setup()
{
	[ -x "$tool" ] || skip "scripts/build-harness has not built the tool"
	cd "$BATS_TEST_TMPDIR" || return
}

# guest RUN N RECORD...: a guest that told RECORDs and ended well.
guest()
{
	local dir=$1/guest-$2
	shift 2

	mkdir -p "$dir"
	echo '{"event":"hello","kernel":"7.0.1-test","version":"#1 SMP Debian 7.0.1-2 (2026-01-02)"}' >"$dir/records"
	printf '%s\n' "$@" >>"$dir/records"
	echo 'nothing happened' >"$dir/console.log"
}

# plan TEST...: the record of what is going to run.
plan()
{
	local tests

	tests=$(printf ',"%s"' "$@")
	echo "{\"event\":\"plan\",\"tests\":[${tests#,}]}"
}

# finish TEST OUTCOME [TEXT [PROPERTIES]]: the record of a test that ended.
finish()
{
	printf '{"event":"finish","test":"%s","outcome":"%s","text":"%s","seconds":0.5,"properties":%s}' \
		"$1" "$2" "${3:-}" "${4:-"{}"}"
}

# start TEST: the record of a test that began.
start()
{
	echo "{\"event\":\"start\",\"test\":\"$1\"}"
}

# oops RUN N: the console of a guest that died.
oops()
{
	cat >"$1/guest-$2/console.log" <<-EOF
	[    1.000000] all is well
	[    6.252329] BUG: kernel NULL pointer dereference, address: 00000000000000$2
	[    6.254069] RIP: 0010:strlen+0x4/0x3$2
	[    6.254070]  ? erofs_old_frame+0xa2/0x160 [erofs]
	[    6.256900]  erofs_fill+0xa2/0x16$2 [erofs]
	[    6.256901]  erofs_caller+0xa2/0x160 [erofs]
	EOF
}

# has TEXT: fail unless the output has it.
has()
{
	# shellcheck disable=SC2154 # set by bats' run
	[[ $output == *"$1"* ]] || { printf 'no "%s" in:\n%s\n' "$1" "$output"; return 1; }
}

equality='a_test.cpp:7: Expected equality of these values:\n  reading.open_error\n    Which is: 22\n  0'

# Two sides with one promise of every kind.
two_sides()
{
	local tests=(Good.HoldsOnBoth Bad.DiesWithEinval Bad.NeverEnds Bad.SeesWrong Bad.NeedsMore
		In/Some.HoldsAtTimes/a In/Some.HoldsAtTimes/b In/Some.HoldsAtTimes/c)

	guest ours 1 "$(plan "${tests[@]}")"
	for name in "${tests[@]}"; do
		finish "$name" passed >>ours/guest-1/records
		echo >>ours/guest-1/records
	done
	guest theirs 1 "$(plan "${tests[@]}")" "$(finish Good.HoldsOnBoth passed)" \
		"$(start Bad.DiesWithEinval)"
	oops theirs 1
	guest theirs 2 "$(plan "${tests[@]:2}")" "$(start Bad.NeverEnds)" \
		'{"event":"hung","test":"Bad.NeverEnds","seconds":120}'
	guest theirs 3 "$(plan "${tests[@]:3}")" "$(finish Bad.SeesWrong failed "$equality")" \
		"$(finish Bad.NeedsMore skipped 'no such thing here')" \
		"$(finish In/Some.HoldsAtTimes/a passed)" \
		"$(finish In/Some.HoldsAtTimes/b failed 'a_test.cpp:9: Expected: (a()) < (b), actual: 5 vs 4')" \
		"$(finish In/Some.HoldsAtTimes/c skipped 'not this one')"
}

@test "compare: a row a promise, with what became of it on each side" {
	two_sides
	run "$tool" compare ours=ours theirs=theirs
	[ "$status" -eq 0 ]
	[[ $output =~ "Holds on both"\ +pass\ +pass ]]
	[[ $output =~ "Dies with EINVAL"\ +pass\ +"crash: BUG: kernel NULL pointer dereference in strlen from erofs_fill" ]]
	[[ $output =~ "Never ends"\ +pass\ +hangs ]]
	[[ $output =~ "Sees wrong"\ +pass\ +"fail: reading.open_error is EINVAL, not 0" ]]
	[[ $output =~ "Needs more"\ +pass\ +"n/a: no such thing here" ]]
	[[ $output =~ "Holds at times"\ +pass\ +"fail: not so: (a()) < (b) (1 of 2)" ]]
	has "6 promises. On ours 6 of 6 hold. On theirs 1 of 5 hold: 1 crash the kernel, 1 hang, 2 fail (1 do not apply)."
}

@test "compare: fails when the first side breaks a promise, and only then" {
	two_sides
	run "$tool" compare theirs=theirs ours=ours
	[ "$status" -eq 1 ]
	run "$tool" compare ours=ours ours=ours
	[ "$status" -eq 0 ]
}

@test "compare: a test that no guest came to run breaks its promise" {
	guest ours 1 "$(plan A.One/a A.One/b)" "$(finish A.One/a passed)"
	run "$tool" compare ours=ours
	[ "$status" -eq 1 ]
	has "not run (1 of 2)"
}

@test "compare: a promise that only one side tests" {
	guest ours 1 "$(plan A.One B.Two)" "$(finish A.One passed)" "$(finish B.Two passed)"
	guest theirs 1 "$(plan B.Two A.More)" "$(finish B.Two passed)" "$(finish A.More passed)"
	run "$tool" compare ours=ours theirs=theirs
	[ "$status" -eq 1 ]
	[[ $output =~ One\ +pass\ +"not tested" ]]
	[[ $output =~ More\ +"not tested"\ +pass ]]
	# Both of suite A under one heading.
	[ "$(grep -cx A <<<"$output")" -eq 1 ]
}

@test "compare: a complaint of the kernel that it survived, also outside of any test" {
	guest ours 1 "$(plan A.One)" \
		'{"event":"finish","test":"A.One","outcome":"failed","text":"","seconds":1,"complaints":["WARNING: CPU: 1 PID: 77 at fs/x.c:5 f+0x1/0x2 [erofs]"]}'
	run "$tool" compare ours=ours
	[ "$status" -eq 1 ]
	has "complaint: WARNING: at fs/x.c:5 f [erofs]"

	guest quiet 1 "$(plan A.One)" "$(finish A.One passed)"
	run "$tool" compare ours=quiet
	[ "$status" -eq 0 ]
	oops quiet 1
	run "$tool" compare ours=quiet
	[ "$status" -eq 1 ]
	has "Its kernel complained outside of any test."
}

@test "compare: equal results give an equal file; addresses and times do not matter" {
	two_sides
	"$tool" compare --markdown one ours=ours theirs=theirs
	sed -i 's/address: 0*1/address: 00000000deadbeef/; s/6\.25/7.31/; s/strlen+0x4/strlen+0x9/' theirs/guest-1/console.log
	sed -i 's/actual: 5 vs 4/actual: 6 vs 4/; s/0\.5/0.7/' theirs/guest-3/records
	"$tool" compare --markdown two ours=ours theirs=theirs
	cmp one two
	grep -qxF -- '- theirs: Linux 7.0.1-test, package 7.0.1-2 of 2026-01-02' one
	grep -qxF '| Sees wrong | pass | fail: `reading.open_error is EINVAL, not 0` |' one
	grep -qxF '## Promises that crash the kernel on theirs' one
	grep -qxF -- '- Bad: Dies with EINVAL' one
}

@test "compare: a side without a name, or without results, is named" {
	run --separate-stderr "$tool" compare ours
	[ "$status" -ne 0 ]
	[[ $stderr == *"'ours': expected NAME=RUN"* ]]
	mkdir empty
	run --separate-stderr "$tool" compare ours=empty
	[ "$status" -ne 0 ]
	one_line "empty holds no guest-1"
}

@test "report: a crash, a hang and a silent end are told apart, and counted as failed" {
	two_sides
	guest theirs 4 "$(start In/Some.HoldsAtTimes/c)"
	run "$tool" report theirs
	[ "$status" -eq 0 ]
	has "the guest's kernel died in it"
	has "the test did not end within 120 s"
	has "the guest fell silent in it"
	[ "${lines[-1]}" = "total 2 5 1" ]
}

@test "parity: equal outcomes and values pass; what needs sharing is left out" {
	for run in stock ours; do
		guest $run 1 "$(plan A.One A.Two A.Share)" \
			"$(finish A.One passed '' '{"observed_size":"7","time":"'$run'"}')" \
			"$(finish A.Two failed 'wrong')"
	done
	finish A.Share skipped 'no sharing' >>stock/guest-1/records
	finish A.Share passed >>ours/guest-1/records
	echo | tee -a stock/guest-1/records >>ours/guest-1/records
	run "$tool" parity stock ours
	[ "$status" -eq 0 ]
	has "2 of 2 tests (1 observed values)"
	[ "${lines[-1]}" = "total 2 0 0" ]
}

@test "parity: other values and other outcomes are named with both, and fail" {
	guest stock 1 "$(plan A.One A.Two A.Three A.Four)" \
		"$(finish A.One passed '' '{"observed_size":"7"}')" \
		"$(finish A.Two passed)" "$(finish A.Three passed '' '{"observed_mode":"444"}')" \
		"$(finish A.Four passed)"
	guest ours 1 "$(plan A.One A.Two A.Three A.Four)" \
		"$(finish A.One passed '' '{"observed_size":"8"}')" \
		"$(finish A.Two skipped 'cannot')" "$(finish A.Three passed)" "$(start A.Four)"
	oops ours 1
	run "$tool" parity stock ours
	[ "$status" -eq 0 ]
	has "FAILED parity of A.One"
	has "size: '7' on the distribution's module, '8' on ours"
	has "outcome: 'passed' on the distribution's module, 'skipped' on ours"
	has "mode: '444' on the distribution's module, nothing on ours"
	has "outcome: 'passed' on the distribution's module, 'crashed' on ours"
	[ "${lines[-1]}" = "total 0 4 0" ]
}

@test "compare and parity: nothing that ran is a failure, not a success" {
	guest none 1 '{"event":"plan","tests":[]}'
	run "$tool" compare ours=none
	[ "$status" -eq 1 ]
	guest stock 1 "$(plan A.One)" "$(finish A.One skipped 'cannot mount')"
	guest ours 1 "$(plan A.One)" "$(finish A.One passed)"
	run "$tool" parity stock ours
	[ "${lines[-1]}" = "total 0 1 0" ]
}

@test "parity: a test that ours does not have is a difference" {
	guest stock 1 "$(plan A.One)" "$(finish A.One passed)"
	guest ours 1 "$(plan A.Two)" "$(finish A.Two passed)"
	run "$tool" parity stock ours
	has "outcome: 'passed' on the distribution's module, nothing on ours"
	[ "${lines[-1]}" = "total 0 1 0" ]
}

@test "compare: a known difference shows" {
	guest ours 1 "$(plan A.One/x A.One/y)" "$(finish A.One/x passed)" \
		"$(finish A.One/y skipped 'known difference: so and so')"
	run "$tool" compare ours=ours
	has "pass but for a known difference: so and so"
}

@test "parity: a test that says so need not agree" {
	guest stock 1 "$(plan A.One A.Two)" "$(finish A.One passed)" \
		"$(finish A.Two passed '' '{"parity":"none"}')"
	guest ours 1 "$(plan A.One A.Two)" "$(finish A.One passed)" "$(finish A.Two skipped 'not here')"
	run "$tool" parity stock ours
	[ "${lines[-1]}" = "total 1 0 0" ]
}

@test "parity --modes: lists what differs between plain and shared, and fails of nothing" {
	tests=(In/A.One/plain_lz4 In/A.One/shared_lz4 In/A.Two/plain In/A.Two/shared In/A.Three/plain)
	guest ours 1 "$(plan "${tests[@]}")" \
		"$(finish "${tests[0]}" passed '' '{"observed_fibmap":"0"}')" \
		"$(finish "${tests[1]}" passed '' '{"observed_fibmap":"EINVAL"}')" \
		"$(finish "${tests[2]}" passed '' '{"observed_size":"1"}')" \
		"$(finish "${tests[3]}" passed '' '{"observed_size":"1"}')" \
		"$(finish "${tests[4]}" passed)"
	run "$tool" parity --modes ours
	[ "$status" -eq 0 ]
	has "In/A.One/plain_lz4"
	has "fibmap: '0' without sharing, 'EINVAL' with sharing"
	has "1 tests, 2 values: the same without and with sharing; 1 differ."
	[[ $output != *A.Two* ]]
	run "$tool" parity ours
	[ "$status" -ne 0 ]
	run "$tool" parity --modes ours ours
	[ "$status" -ne 0 ]
}

# hostile CONSOLE: what a guest leaves in which the mutant "lz4 1 cold file 1=2" did
# not end, and the console says CONSOLE.
hostile()
{
	guest run 1 '{"event":"mutant","recipe":"lz4 1 cold file 1=2","seed":"lz4"}' \
		'{"event":"fuzz-failure","kind":"hang","text":"no end after 600 s"}'
	echo "lz4 1 cold file 1=2" >run/plan
	echo "[    1.000000] $1" >run/guest-1/console.log
	mkdir -p known
	run "$tool" fuzz-report --seeds . --known known run
}

@test "fuzz-report: a hostile image that does not end is a failure" {
	hostile 'all is well'
	has 'FAILED hang: lz4'
	[ "${lines[-1]}" = "total 0 1 0" ]
}

@test "fuzz-report: but for the one on which the stock module does not end either" {
	mkdir known
	printf '# Stock: no end after 600 s\nlz4 1 cold file 1=2\n' >known/slow.txt
	hostile 'all is well'
	has 'known hang: lz4'
	[ "${lines[-1]}" = "total 1 0 0" ]
	printf '# Stock: no end after 600 s\nlz4 1 cold file 1=3\n' >known/slow.txt
	hostile 'all is well'
	has 'FAILED hang: lz4'
}

@test "fuzz-report: a known hang excuses no complaint of the kernel" {
	mkdir known
	printf '# Stock: no end after 600 s\nlz4 1 cold file 1=2\n' >known/slow.txt
	hostile 'BUG: KASAN: slab-use-after-free in erofs_share_open+0x1/0x2'
	has 'FAILED hang: lz4'
	[ "${lines[-1]}" = "total 0 1 0" ]
}

@test "a report is good only if something passed and nothing failed" {
	# shellcheck source=scripts/lib/lib.sh
	. "$top/scripts/lib/lib.sh"
	verdict $'text\ntotal 9 0 1'
	run verdict $'text\ntotal 9 1 0'
	[ "$status" -ne 0 ]
	[ "$output" = $'text\ntotal 9 1 0' ]
	run verdict $'total 0 0 0'
	[ "$status" -ne 0 ]
	run verdict 'the program died'
	[ "$status" -ne 0 ]
}

@test "part-modules: each module of a guest gets what was said of it, and no more" {
	guest whole 1 '{"event":"module","name":"first"}' "$(plan A.One)" '{"event":"start","test":"A.One"}' \
		"$(finish A.One failed 'saw it')" '{"event":"module-end","name":"first"}' \
		'{"event":"module","name":"second"}' "$(plan B.One B.Two)" '{"event":"start","test":"B.One"}'
	printf '%s\n' '[ MODULE ] first' 'quiet' '[ MODULE ] second' 'BUG: of the second' >whole/guest-1/console.log
	run -0 "$tool" part-modules whole/guest-1 out
	[ "$output" = $'first\nsecond' ]
	run -0 "$tool" report out/first
	[[ $output == *'saw it'*'total 0 1 0' ]]
	[[ $output != *complained* ]]
	# The guest died in its first test; another one still has to run.
	run -0 "$tool" remaining out/second
	[ "$output" = B.Two ]
	run -0 "$tool" report out/second
	[[ $output == *'FAILED B.One'*'BUG: of the second'*'before this test could run'*'total 0 2 0' ]]
	# The next guest's part of it lies beside the first.
	guest next 1 '{"event":"module","name":"second"}' "$(plan B.Two)" '{"event":"start","test":"B.Two"}' \
		"$(finish B.Two passed)" '{"event":"module-end","name":"second"}'
	"$tool" part-modules next/guest-1 out
	run -0 "$tool" report out/second
	[[ $output == *'total 1 1 0' ]]
}

@test "report: guests that run at once have a part of the tests each" {
	guest run 1 "$(plan A.One)" "$(finish A.One passed)"
	guest run 2 "$(plan A.Two)"
	run -0 "$tool" remaining run
	[ "$output" = A.Two ]
	run -0 "$tool" report run
	[[ $output == *'total 1 1 0' ]]
}
