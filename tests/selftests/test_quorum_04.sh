#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A majority acknowledges, and the disk of a third one stands still: it falls behind,
# and that costs nothing either.
. "$(dirname "$0")/lib.sh"

lacks()
{
	is a r0 '.connections[] | select(.name == "c") |
		.peer_devices[0]."out-of-sync-bytes" > 0' true
}

make_disk=dm_disk
setup_nodes a b c
new_conf r0 32 'options { ack-policy quorum; backlog-max 64K; }'
up r0
synced r0

must dmsetup suspend --noflush --nolockfs --noudevsync r0-c
begin=$(date +%s%N)
check "more writes than it may lack" write_some a 100
took=$((($(date +%s%N) - begin) / 1000000))
diag "a hundred writes took $took ms"
check "none waited for it" [ "$took" -lt 15000 ]
check_soon "it has fallen behind" 10 lacks
check "writes go on" write_some a 20
must dmsetup resume --noudevsync r0-c
check_soon "it catches up" 60 in_step a r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
