#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Asynchronous replication: writes wait for nobody, the peer has them in order,
# its lag is shown and bounded, and a hand-over loses nothing.
. "$(dirname "$0")/lib.sh"

pd='.connections[0].peer_devices[0]'

# follows NODE: its peer has all that it was sent, and is no member of the set
follows()
{
	is "$1" r0 "$pd.\"peer-disk-state\"" Consistent &&
		is "$1" r0 "$pd.\"replication-state\"" Established &&
		is "$1" r0 '.connections[0].unacked' 0
}

setup_nodes a b
new_conf r0 32 'options { ack-policy async; }'
up r0
must busywait 20 connected a r0
must repl a primary --force r0
check_soon "the peer follows" 60 follows a
exec 9<>"$(dev a)"
check_refused "not while the Primary is in use" "it is Primary" repl b primary r0
exec 9<&-

# An answer takes a second, ten of them ten.
slow b delay 1s
begin=$(date +%s%N)
check "ten writes" write_some a 10
took=$((($(date +%s%N) - begin) / 1000000))
diag "ten writes took $took ms"
check "did not wait for the peer" [ "$took" -lt 6000 ]
slow b delay 3s
write_some a 10
check "what the peer lacks is shown" \
	[ "$(query a r0 '.connections[0]."lag-bytes"')" -gt 0 ]
slow b delay 400ms
check_soon "until it has it" 30 follows a

# Beyond the bound writes wait, if they are to.
check "a bound" repl a resource-options r0 --on-backlog hold-writes --backlog-max 64K
begin=$(date +%s%N)
check "a hundred writes" write_some a 100
took=$((($(date +%s%N) - begin) / 1000000))
diag "a hundred writes within 64 KiB took $took ms"
check "waited for the peer in between" [ "$took" -gt 1500 ]
on b tc qdisc del dev eth0 root
check_soon "the peer follows" 30 follows a

# Beyond the bound the peer falls behind, if it is to.
check "another answer to it" repl a resource-options r0 --on-backlog fall-behind
slow b delay 3000ms
check "writes go on" write_some a 200
check_soon "the peer has fallen behind" 10 \
	is a r0 "$pd | .\"out-of-sync-bytes\" > 0" true
on b tc qdisc del dev eth0 root
check_soon "and catches up by itself" 60 follows a

# Handed over: the follower becomes a member, and so can be promoted.
sum_a=$(sum "$(dev a)" 2048)
check "the primary steps down" repl a secondary r0
check "the follower takes over without force" repl b primary r0
check_equal "with everything" "$(sum "$(dev b)" 2048)" "$sum_a"
check_soon "the other follows now" 30 follows b

# Cut off, it cannot know what it lacks.
cut a b
check_soon "the peer is lost" 30 is a r0 '.connections[0]."connection-state"' Connecting
check_refused "not without the primary's word" "newer data" repl a primary r0
heal a b
check_soon "they meet again" 60 follows b

# All policies at run time.
check "sync from now on" repl b resource-options r0 --ack-policy sync
write_some b 1
check_soon "both are members" 20 in_step b r0
must repl b secondary r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
