#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a peer may lack that writes do not wait for: bytes and time, and both answers at
# the bound.  It is reached while nothing gets to the peer, so no clock decides.
. "$(dirname "$0")/lib.sh"

conn='.connections[0]'
pd=$conn'.peer_devices[0]'

# follows: b has all, and nothing is left to be synced
follows()
{
	is a r0 "$pd.\"replication-state\"" Established && is a r0 "$conn.unacked" 0 &&
		is a r0 "$pd.\"out-of-sync-bytes\"" 0
}

# fill_up: what b may lack completes; what is next waits
fill_up()
{
	cut a b
	check "64 KiB complete while nothing reaches the peer" \
		timeout $((20 * slowness)) dd if=/dev/urandom of="$(dev a)" bs=4k \
		count=16 oflag=direct conv=notrunc status=none
	begin_write a
	sleep 2
	check "the next write waits" kill -0 "$writer"
}

says_lag()
{
	repl a status r0 | grep -E '^  b .*lacks:64.0 KiB  for:0:0[1-9]'
}

# late: b has lacked something for longer than it may
late()
{
	is a r0 "$conn.\"lag-ms\" > 3000" true
}

# Patience, so that a cut is a stall and no lost connection.
setup_nodes a b
new_conf r0 32 'options { ack-policy async; backlog-max 64K; on-backlog hold-writes; }
	net { timeout 60s; ping-int 20s; }'
up r0
must busywait 20 connected a r0
must repl a primary --force r0
check_soon "the peer follows" 60 follows

# Bytes, and writes that are held
fill_up
check "what it lacks is shown" is a r0 "$conn.\"lag-bytes\"" $((16 * 4096))
check_soon "and since when, for people too" 20 says_lag
check "explain says why they wait" explains a r0 5 \
	'r0 peer b: writes wait until it has caught up \(on-backlog hold-writes\): it lacks 64.0 KiB for 0:[0-9]+, backlog-max is 64.0 KiB'
check "I/O is not suspended" is a r0 .suspended false
heal a b
check_ends "when the peer has caught up it goes on" "$writer"
check_soon "by the stream alone" 40 follows
check "nothing waits any more" explains a r0 0

# The bound is changed, and the answer to it, while a write waits.
fill_up
check "a larger bound" repl a resource-options --backlog-max 1M r0
check_ends "lets it go on" "$writer"
check "the peer has not got it" is a r0 "$conn.\"lag-bytes\"" $((17 * 4096))
heal a b
check_soon "the peer follows" 40 follows
must repl a resource-options --backlog-max 64K r0
fill_up
check "it is to fall behind" repl a resource-options --on-backlog fall-behind r0
check_ends "and what waited goes on" "$writer"
check_soon "the peer is behind" 10 is a r0 "$pd.\"replication-state\"" Behind
check "explain says so" explains a r0 5 'r0 peer b: volume 0: .*has fallen behind'
check "what it lacks is noted" is a r0 "$pd.\"out-of-sync-bytes\"" 65536
check "writes go on beyond the bound" timeout $((20 * slowness)) dd if=/dev/urandom \
	of="$(dev a)" bs=4k count=32 oflag=direct conv=notrunc status=none
heal a b
check_soon "it is resynced by itself" 60 follows

# Time, and writes that are held
must repl a resource-options --backlog-max 32M --backlog-time 3s --on-backlog hold-writes r0
cut a b
check "a write that the peer may lack for a while" write_some a 1
check_soon "it lacks it for too long" 20 late
begin_write a
sleep 2
check "the next write waits" kill -0 "$writer"
check "explain says why" explains a r0 5 \
	'writes wait until .*it lacks 4.0 KiB for 0:[0-9]+, backlog-time is 0:03'
heal a b
check_ends "when the peer has it, it goes on" "$writer"
check_soon "by the stream alone" 40 follows
cut a b
must write_some a 1
must busywait 20 late
begin_write a
sleep 1
check "again one waits" kill -0 "$writer"
check "no limit of time" repl a resource-options --backlog-time 0s r0
check_ends "lets it go on" "$writer"
heal a b
check_soon "the peer follows" 40 follows

# Time, and a peer that falls behind
must repl a resource-options --backlog-time 3s --on-backlog fall-behind r0
cut a b
must write_some a 1
check_soon "it lacks it for too long and falls behind" 20 \
	is a r0 "$pd.\"replication-state\"" Behind
check "what it lacks is noted" is a r0 "$pd.\"out-of-sync-bytes\"" 4096
check "writes go on" write_some a 5
heal a b
check_soon "it is resynced by itself" 60 follows

must repl a secondary r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
