#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One peer is asynchronous, a distant site: writes wait for the near one and not for
# it, its lag is shown, it is promoted and elected only if it has all, and it catches up.
. "$(dirname "$0")/lib.sh"

far='.connections[] | select(.name == "c")'

# of_far NODE JQ WANTED: what a status says of c
of_far()
{
	local got

	got=$(repl "$1" status --json --statistics r0 | jq -r ".[0] | $far | $2")
	[ "$got" = "$3" ] || {
		echo "$1: c's $2 is '$got', not '$3'"
		repl "$1" status r0
		return 1
	}
}

# follows: c has all that it was sent, and is no member of the set
follows()
{
	of_far a '.peer_devices[0]."peer-disk-state"' Consistent &&
		of_far a '.peer_devices[0]."replication-state"' Established &&
		of_far a '.unacked' 0 && set_is a 0x3
}

# Patience with c, so that cutting it off is a stall and no lost connection.
setup_nodes a b c
new_conf r0 32 "
	connection { host a; host c; net { async yes; timeout 60s; ping-int 20s; } }
	connection { host b; host c; net { async yes; timeout 60s; ping-int 20s; } }"
up r0
must busywait 20 connected a r0
must repl a primary --force r0
check_soon "the far one follows" 60 follows
check_soon "the near one is a member" 20 is a r0 \
	'.connections[] | select(.name == "b").peer_devices[0]."peer-disk-state"' UpToDate

# Nothing gets to c or back: whatever completes has not waited for it.
cut a c
check "writes complete while nothing reaches the far one" \
	timeout $((20 * slowness)) dd if=/dev/urandom of="$(dev a)" bs=4k count=20 \
	oflag=direct conv=notrunc status=none
check "what it lacks is shown in bytes" of_far a '."lag-bytes"' 81920
check_soon "and in milliseconds" 20 of_far a '."lag-ms" > 1500' true
check "for people too" grep -qE '^  c .*async  lacks:80.0 KiB  for:0:0[1-9]' <(repl a status r0)
check "explain says that it is not waited for" explains a r0 0 \
	'r0 peer c: volume 0: connected, its disk is Consistent, as it is not waited for \(async\)'
check "it is connected all the while" of_far a '."connection-state"' Connected
check "and no member" set_is a 0x3
heal a c
check_soon "it catches up" 40 follows
check "nothing is shown then" of_far a '."lag-bytes"' 0

# The near one is waited for.
must repl a net-options --timeout 60s --ping-int 20s r0:b
must repl b net-options --timeout 60s --ping-int 20s r0:a
cut a b
begin_write a
sleep 2
check "a write waits for the near one" kill -0 "$writer"
heal a b
check_ends "and ends when that has it" "$writer"

# Changed in use: a member, that is waited for ...
check "async no" repl a net-options --async no r0:c
check_soon "it becomes a member" 40 in_step a r0
check "by a set of all" set_is a 0x7
cut a c
begin_write a
sleep 2
check "a write waits for it now" kill -0 "$writer"
heal a c
check_ends "and ends when it has it" "$writer"

# ... and one that is not, from the next write on.
check "async yes" repl a net-options --async yes r0:c
check "a write" write_some a 1
check_soon "it follows again, out of the set" 40 follows
cut a c
check "a write completes without it" timeout $((20 * slowness)) \
	dd if=/dev/urandom of="$(dev a)" bs=4k count=1 oflag=direct conv=notrunc status=none
check "it has not got it" of_far a \
	'."lag-bytes" + .peer_devices[0]."out-of-sync-bytes"' 4096
heal a c
check_soon "it catches up" 40 follows

# It lacks something, and hears of nobody.
cut a c
cut b c
must write_some a 10
must repl c net-options --timeout 1500ms --ping-int 300ms --connect-int 300ms r0
check_soon "the far one is alone" 30 is c r0 \
	'.connections | all(."connection-state" == "Connecting")' true
check_refused "it is not promoted" "newer data" repl c primary r0
check "explain says whose data that would be" explains c r0 5 'bring back a'
must repl c net-options --timeout 60s --ping-int 20s r0
heal a c
heal b c
check_soon "it follows again" 60 follows
check_soon "and is connected to the other one" 20 connected c r0

# With votes: of two that could be a majority the near one is elected.
for node in c b a; do
	must repl $node resource-options --quorum majority r0
done
check_soon "the set is kept by votes" 20 quorum_again a
check_soon "the far one follows still" 40 follows
must repl a net-options --timeout 1500ms --ping-int 300ms --connect-int 300ms r0:b
must repl b net-options --timeout 1500ms --ping-int 300ms --connect-int 300ms r0:a
cut a c
must write_some a 10
sum_a=$(sum "$(dev a)" 1024)
must repl c net-options --timeout 1500ms --ping-int 300ms --connect-int 300ms r0:a
check_soon "the far one has lost the Primary" 20 is c r0 \
	'.connections[] | select(.name == "a")."connection-state"' Connecting
cut a b
check_soon "the near one too" 20 is b r0 \
	'.connections[] | select(.name == "a")."connection-state"' Connecting
check "the two see each other" is c r0 \
	'.connections[] | select(.name == "b")."connection-state"' Connected
check_refused "the far one is not elected" "newer data|acknowledged" repl c primary r0
check_soon "the near one is" 30 repl b primary r0
check_equal "and has all" "$(sum "$(dev b)" 1024)" "$sum_a"
check "and writes" write_some b 5
heal a b
heal a c
check_soon "the old Primary steps down" 40 is a r0 .role Secondary
check_soon "and is filled" 60 is b r0 \
	'.connections[] | select(.name == "a").peer_devices[0]."peer-disk-state"' UpToDate
check_soon "the far one has all that the new one has" 60 of_far b .unacked 0
must repl b secondary r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
