#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A majority acknowledges, and one peer is asynchronous: it has no part in that, so writes
# wait for both of the others, and nothing is written or begun without them, before it is
# waited for.
. "$(dirname "$0")/lib.sh"

far='.connections[] | select(.name == "c")'

# of_far NODE JQ WANTED: what a status says of c
of_far()
{
	is "$1" r0 "$far | $2" "$3"
}

follows()
{
	of_far "$1" '.peer_devices[0]."peer-disk-state"' Consistent &&
		of_far "$1" '.peer_devices[0]."replication-state"' Established &&
		of_far "$1" .unacked 0
}

# sees_none NODE: that its connection to a has ended
sees_none()
{
	is "$1" r0 '.connections[] | select(.name == "a")."connection-state"' Connecting
}

# Patience with c, so that cutting it off is a stall and no lost connection.
setup_nodes a b c
new_conf r0 32 "options { ack-policy quorum; }
	connection { host a; host b; net { timeout 1500ms; ping-int 300ms; connect-int 300ms; } }
	connection { host a; host c; net { async yes; timeout 60s; ping-int 20s; } }
	connection { host b; host c; net { async yes; timeout 60s; ping-int 20s; } }"
up r0
must busywait 20 connected a r0
must repl a primary --force r0
check_soon "the near ones are the set" 60 set_is a 0x3
check_soon "the far one follows" 60 follows a

cut a c
check "writes complete while nothing reaches the far one" \
	timeout $((20 * slowness)) dd if=/dev/urandom of="$(dev a)" bs=4k count=20 \
	oflag=direct conv=notrunc status=none
check "and a flush" timeout $((20 * slowness)) sync "$(dev a)"
check "what it lacks is shown" of_far a '."lag-bytes"' 81920
heal a c
check_soon "it catches up" 40 follows a

# Its file says of a connection that it is async, so it waits for nobody either.
check_refused "the role does not go where too few are waited for" "too many peers are async" \
	repl c primary r0
check "nor has the Primary stepped down" is a r0 .role Primary
must repl c net-options --async no r0

# It is connected and has everything, and is no majority with the Primary.
cut a b
check_soon "without the near one there is no majority" 30 no_quorum a
check "though the far one is there" of_far a '."connection-state"' Connected
begin_write a
sleep 2
check "a write waits" kill -0 "$writer"
check "explain says what can be done" explains a r0 5 \
	'1 of 3 replicas is in step, 2 are needed \(ack-policy quorum\)' \
	'to count c, which is async, and wait for it: blkrepl net-options --async no r0:c'
check "async no" repl a net-options --async no r0:c
check_soon "goes on" 40 quorum_again a
check_ends "with the write that waited" "$writer"
check "by a set of these two" set_is a 0x5
heal a b
check_soon "the near one is filled" 60 set_is a 0x7
check "async yes" repl a net-options --async yes r0:c
check "a write" write_some a 1
check_soon "the far one follows again" 40 set_is a 0x3

# The Primary is lost, with what the far one lacks.
cut a c
must write_some a 10
sum_a=$(sum "$(dev a)" 1024)
must repl c net-options --timeout 1500ms --ping-int 300ms --connect-int 300ms r0:a
cut a b
check_soon "the near one has lost the Primary" 20 sees_none b
check_soon "and so has the far one" 20 sees_none c
check_refused "which is not elected" "newer data|acknowledged" repl c primary r0
repl b primary r0 &
promotion=$!
sleep 3
check "the near one is, and waits for a majority" kill -0 "$promotion"
check "which the far one is, once it is waited for" repl b net-options --async no r0:c
check_ends "then it is Primary" "$promotion"
check_equal "with all that was acknowledged" "$(sum "$(dev b)" 1024)" "$sum_a"
check "and writes" write_some b 5
heal a b
heal a c
check_soon "the old Primary steps down" 40 is a r0 .role Secondary
check_soon "and is filled" 60 set_is b 0x7
must repl b secondary r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
