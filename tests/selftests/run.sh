#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the tests in the machine that this is started in, one after another:
#
#   run.sh [TEST]...        names with or without .sh; all if none is given
#
# TAP: one line for each test, its own output indented below it.  Exit status 1
# if one failed.

dir=$(cd "$(dirname "$0")" && pwd -P)
cd "$dir" || exit 1

# limit TEST: its seconds, or those for all, slowed down for a debug kernel
limit()
{
	local seconds

	seconds=$(sed -n "s/^$1=//p" settings)
	[ -n "$seconds" ] || seconds=$(sed -n 's/^timeout=//p' settings)
	[ ! -e /proc/lockdep ] || seconds=$((seconds * 6))
	echo "$seconds"
}

# gone GROUP: have all its processes ended, or do they within moments?
gone()
{
	local tries

	for ((tries = 0; tries < 50; tries++)); do
		pgrep -g "$1" -r R,S,D,T >/dev/null || return 0
		sleep 0.1
	done
	return 1
}

# run SECONDS TEST: its output indented.  timeout makes a process group of all
# that the test starts; what is still there when it has ended is a mistake.
run()
{
	local group status reader

	exec 3> >(sed -u 's/^/    /')
	reader=$!
	timeout -k 30 "$1" bash "./$2.sh" >&3 2>&1 3>&- &
	group=$!
	exec 3>&-
	wait "$group" 2>/dev/null
	status=$?
	if ! gone "$group"; then
		echo "    # it left processes behind:"
		ps -o pid,stat,wchan:32,args -p "$(pgrep -d, -g "$group")" |
			sed 's/^/    # /'
		kill -KILL -- "-$group"
		[ "$status" -ne 0 ] || status=1
		gone "$group" || {
			echo "    # and they don't die: the module stays in use"
			exit 125
		}
	fi
	wait "$reader"
	return "$status"
}

# Memory that the module has lost; it is unloaded, so that its functions are
# bare addresses, in the area of modules.  A scan takes many seconds with KASAN:
# one for all tests, or two, since what has just been freed may seem lost; the
# caller has made the first.
no_leaks()
{
	local found

	echo scan >"$kmemleak"
	found=$(grep -A 20 '^unreferenced' "$kmemleak")
	grep -qE 'blkrepl|\] 0xffffffff[ac][0-9a-f]{7}$' <<<"$found" || return 0
	printf '%s\n' "$found" | head -n 60
	return 1
}

kmemleak=/sys/kernel/debug/kmemleak
if [ $# -eq 0 ]; then
	set -- test_*.sh
fi

number=0
passed=0
failed=0
skipped=0
echo "TAP version 13"
for test in "$@"; do
	name=${test%.sh}
	number=$((number + 1))
	if [ ! -f "$name.sh" ]; then
		echo "not ok $number - $name # no such test"
		failed=$((failed + 1))
		continue
	fi
	echo "# $name"
	begin=$SECONDS
	seconds=$(limit "$name")
	run "$seconds" "$name"
	status=$?
	took="# $((SECONDS - begin)) s"
	case $status in
	0)
		echo "ok $number - $name $took"
		passed=$((passed + 1))
		;;
	4)
		echo "ok $number - $name # SKIP"
		skipped=$((skipped + 1))
		;;
	124|137)
		echo "not ok $number - $name # no end after $seconds s"
		failed=$((failed + 1))
		;;
	*)
		echo "not ok $number - $name $took"
		failed=$((failed + 1))
		;;
	esac
done
# a scan is refused where kmemleak is switched off
if [ -f "$kmemleak" ] && echo scan 2>/dev/null >"$kmemleak"; then
	number=$((number + 1))
	if out=$(no_leaks); then
		echo "ok $number - no memory is leaked"
		passed=$((passed + 1))
	else
		sed 's/^/    # /' <<<"$out"
		echo "not ok $number - no memory is leaked"
		failed=$((failed + 1))
	fi
fi
echo "1..$number"
echo "# $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
