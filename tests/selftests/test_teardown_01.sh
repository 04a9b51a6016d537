#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Taken down in the middle of everything.
. "$(dirname "$0")/lib.sh"

# again SECONDS COMMAND...: without end; what it says is of no interest
again()
{
	local end=$((SECONDS + $1))

	shift
	while [ "$SECONDS" -lt "$end" ]; do
		"$@"
	done >/dev/null 2>&1
}

setup_nodes a b
new_conf r0 24 "disk { resync-rate-max 4M; }"
up r0
for node in a b; do
	check "down while it connects: $node" repl $node down r0
done

must repl a up r0
must repl b up r0
must busywait 20 connected a r0
must repl a primary --force r0
scribble "$(dev a)" 2048
must repl b invalidate r0
check "down while it is synced" repl b down r0
must repl b up r0
check_refused "the module is in use" "in use" rmmod blkrepl

work_on "$(dev a)"
work=$started
check_soon "a device is written to" 20 is a r0 \
	'.devices[0] | .openers > 0 and .writes > 100' true
check_refused "it is not taken down meanwhile" "open" repl a down r0
check "the peer's can go under the writes" repl b down r0
must repl b up r0

# Connect and disconnect from both sides, without order; look on.
flip()
{
	repl "$1" disconnect --force r0
	repl "$1" connect r0
}
loops=()
for node in a b; do
	again 8 flip $node &
	loops+=($!)
	again 8 repl $node status --json r0 &
	loops+=($!)
done
again 8 rmmod blkrepl &
loops+=($!)
wait "${loops[@]}"
repl a connect r0 >/dev/null 2>&1
repl b connect r0 >/dev/null 2>&1
check_soon "connected and disconnected on both sides at once, it connects" 30 \
	connected a r0
check "the writer has not been disturbed" kill "$work"
wait "$work"
check_soon "in step" 60 in_step a r0

# What connects is taken down, and brought up again.
cycle()
{
	repl b down r0
	repl b up r0
}
again 8 cycle
repl b up r0 >/dev/null 2>&1
check_soon "taken down and up again and again, it connects" 30 in_step a r0
must repl a secondary r0

# The namespace goes, with all that is in it; the other node stays.
ip netns del b
check_soon "the namespace takes its volumes along" 20 test ! -e /sys/block/blkrepl10
check_soon "a notices" 20 is a r0 '.connections[0]."connection-state"' Connecting
must repl a down r0
check_soon "the module unloads" 20 unload
