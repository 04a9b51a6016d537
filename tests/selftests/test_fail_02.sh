#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# When the last good replica is gone, I/O waits, status says why, and it ends.
. "$(dirname "$0")/lib.sh"

make_disk=dm_disk
setup_nodes a b
new_conf r0 24
up r0
synced r0

suspended()
{
	repl a status r0 | grep -q 'suspended: no replica with good data'
}

# Without a disk of its own, a depends on b.
must repl a detach r0
check "diskless, it is written to" scribble "$(dev a)" 64
check_refused "the last good disk is not detached" "." repl b detach r0
check_refused "nor disconnected from" "no other good data" repl a disconnect r0
check "all is well" scribble "$(dev a)" 64
cut a b
timeout $((60 * slowness)) dd if=/dev/urandom of="$(dev a)" bs=4k count=4 oflag=direct status=none &
writer=$!
check_soon "status names the reason" 30 suspended
check_equal "for programs, too" \
	"$(query a r0 '."suspended-reasons"[0]')" "no replica with good data is reachable"
check "the writer waits" kill -0 $writer
heal a b
check_soon "the peer is back" 30 connected a r0
check_ends "and the writer gets through" "$writer"
check "nothing is suspended" is a r0 .suspended false

# Or not to wait: I/O that waits already fails, too.
cut a b
dd if="$(dev a)" of=/dev/null bs=4k count=1 iflag=direct skip=64 status=none 2>/dev/null &
reader=$!
dd if=/dev/urandom of="$(dev a)" bs=4k count=1 oflag=direct status=none 2>/dev/null &
killed=$!
must busywait 30 suspended
kill -KILL $killed
must repl a resource-options --on-no-data io-error r0
wait $reader
check_equal "what waited fails" $? 1
wait $killed
check_equal "what was killed is gone" $? 137
check_refused "what comes fails at once" "input/output error" \
	dd if="$(dev a)" of=/dev/null bs=4k count=1 iflag=direct
heal a b
check_soon "the peer is back again" 30 connected a r0
check "good again" dd if="$(dev a)" of=/dev/null bs=4k count=1 iflag=direct
must repl a attach r0
check_soon "with its disk" 30 in_step a r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
