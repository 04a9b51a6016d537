#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Replicas that are declared bad, and replicas that are declared equal.
. "$(dirname "$0")/lib.sh"


setup_nodes a b
new_conf r0 32
up r0
must busywait 20 connected a r0
check "blank disks need no sync" repl a new-data-set r0
check_soon "in step at once" 5 in_step a r0
check_soon "on both nodes" 5 in_step b r0
check "nothing was sent" [ "$(query a r0 '.connections[0]."sent-bytes"')" -lt 65536 ]
must repl a primary r0
check_refused "there is data now" "fresh metadata|data" repl a new-data-set r0
scribble "$(dev a)" 2048 1024

# Everything is compared, and what is equal is not sent.
check "the peer's data is bad" repl a invalidate-remote r0
check_soon "in step again" 40 in_step a r0
check "equal blocks were skipped" \
	[ "$(query a r0 '.connections[0]."sent-bytes"')" -lt $((16 << 20)) ]
check_refused "a Primary cannot be told that its data is bad" "Primary" \
	repl a invalidate r0
check "a Secondary can" repl b invalidate r0
check_soon "and gets everything from the peer" 40 in_step a r0

check_refused "but not from which peer" "can't be chosen" repl b invalidate r0:a/0

# Not without somebody to get it from.
must repl b disconnect r0
check_refused "not without a peer" "no connected peer" repl b invalidate r0
check_refused "nor a peer's without a peer" "not connected" repl a invalidate-remote r0
must repl b connect r0
check_soon "in step in the end" 40 in_step b r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
