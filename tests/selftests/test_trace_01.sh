#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the tracepoints tell of the life of one write, on both nodes.
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing
sector=16384

trace()
{
	echo "$2" >"$tracing/$1"
}

# lines NODE EVENT [PATTERN]: of one event on one node
lines()
{
	grep -E "blkrepl_$2: node=$1 .*${3:-}" "$tmp/trace"
}

# field NAME: its value in the first line
field()
{
	sed -n "1s/.* $1=\([^ ]*\).*/\1/p"
}

# life NODE: what the write went through there, in order
life()
{
	grep -E "node=$1 .* sector=$sector " "$tmp/trace" | grep -v '_\(send\|rx\):' |
		sed 's/.*blkrepl_\([a-z_]*\): .*/\1/' | tr '\n' ' '
}

setup_nodes a b
new_conf r0 12
up r0
synced r0
must test -d "$tracing/events/blkrepl"
trace trace_clock global
trace events/blkrepl/enable 1
defer trace events/blkrepl/enable 0
trace trace ''
must dd if=/dev/urandom of="$(dev a)" bs=4k count=1 seek=$((sector / 8)) \
	oflag=direct conv=notrunc status=none
# with the primary's next heartbeat the secondary is through with it
busywait 20 grep -q "blkrepl_release: node=1 .* sector=$sector " "$tracing/trace"
trace events/blkrepl/enable 0
grep ' blkrepl_' "$tracing/trace" >"$tmp/trace"
trace trace_clock local
seq=$(lines 0 complete "app write sector=$sector size=4096 " | field seq)
check "the write completes, and has a number" test "${seq:-0}" -gt 0
check_equal "its life on the primary" "$(life 0)" \
	"submit disk_io io_done complete release "
check_equal "and on the secondary" "$(life 1)" "disk_io io_done release "
check "its extent is logged before" lines 0 meta_done
# types of packets: 3 WRITE, 7 ACK
check "it is sent" lines 0 send "peer=1 .*type=3 .*seq=$seq sector=$sector size=4096"
check "it is received" lines 1 rx "peer=0 .*type=3 .*seq=$seq sector=$sector size=4096"
check "the answer is sent" lines 1 send "peer=0 .*type=7 .*seq=$seq "
check "the answer is received" lines 0 rx "peer=1 .*type=7 .*seq=$seq "
[ "$tap_failed" -eq 0 ] || diag "$(cat "$tmp/trace")"
must repl a secondary r0
down r0
