#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A resync sends what differs, also after an interruption, also beside writes.
. "$(dirname "$0")/lib.sh"

sent()
{
	query a r0 '.connections[0]."sent-bytes"'
}

behind()
{
	query a r0 '.connections[0].peer_devices[0]."out-of-sync-bytes"'
}

# less BYTES: so much of the resync is through
less()
{
	[ "$(behind)" -lt "$1" ]
}

setup_nodes a b
new_conf r0 64
up r0
synced r0

must repl a disconnect r0
check "nothing is behind yet" [ "$(behind)" -eq 0 ]
for i in 1 5 9 30; do
	scribble "$(dev a)" 1024 $((i * 1024))
done
check_equal "four MiB are" "$(behind)" $((4 << 20))
must repl a connect r0
check_soon "connected again, and in step" 30 in_step a r0
got=$(sent)
check "about that has been sent: $got" [ "$got" -ge $((4 << 20)) ]
check "and not much more" [ "$got" -lt $((5 << 20)) ]

# Interrupted half way, it goes on from there.
must repl a disconnect r0
scribble "$(dev a)" 12288
must repl a net-options --resync-rate-min 16K --resync-rate-max 96K r0
must repl b net-options --resync-rate-min 16K --resync-rate-max 96K r0
must repl a connect r0
begin=$SECONDS
must busywait 60 less $((11 << 20))
check "no faster than it may" [ $((SECONDS - begin)) -ge 8 ]
must repl a pause-sync r0
check_soon "it can be held" 10 is a r0 \
	'.connections[0].peer_devices[0]."resync-paused"' here
check "the other side knows" is b r0 \
	'.connections[0].peer_devices[0]."resync-paused"' "by the peer"
check "the target counts, too" is b r0 \
	'.connections[0].peer_devices[0] | ."resync-total-bytes" > 0 and
	 ."resync-sent-bytes" > 0' true
held=$(behind)
scribble "$(dev a)" 256 32768
check "a write meanwhile is no debt" [ "$(behind)" -le "$held" ]
must repl a disconnect r0
left=$(behind)
check "of 12 MiB there are $left bytes to go" [ "$left" -le $((11 << 20)) ]
must repl a resume-sync r0
must repl a net-options --resync-rate-max 0 r0
must repl b net-options --resync-rate-max 0 r0
must repl a connect r0

# The target takes application writes at the same time.
check "writes while it is synced" fio --name=beside --filename="$(dev a)" \
	--rw=randwrite --direct=1 --bsrange=512-32k --ioengine=libaio --iodepth=4 \
	--size=16M --io_size=2M --verify=crc32c --minimal
check_soon "in step" 40 in_step a r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
