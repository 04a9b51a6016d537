#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# min-in-sync: with fewer replicas in step nothing is acknowledged.  I/O waits, or
# fails, it is said why, and it goes on by itself or with a lower number.
. "$(dirname "$0")/lib.sh"

# one_waits: b is cut off, and a write waits
one_waits()
{
	cut a b
	check_soon "the peer is gone, I/O is suspended" 20 no_quorum a
	begin_write a
	sleep 2
	check "a write waits" kill -0 "$writer"
}

setup_nodes a b
new_conf r0 16 'options { min-in-sync 2; }'
up r0
brisk r0
synced r0
check "two are in step: writes go on" write_some a 5

one_waits
check_equal "the reason is min-in-sync" "$(query a r0 '."suspended-reasons" | join(", ")')" \
	"fewer replicas are in step than min-in-sync asks for"
check "status says it" grep -q 'I/O suspended: .*min-in-sync' <(repl a status r0)
check_equal "and nothing of a quorum" "$(repl a status r0 | grep -i quorum)" ""
check "explain counts, and says who has to come back" explains a r0 5 \
	'^problem +r0: I/O has been suspended for .*programs wait: fewer replicas are in step than min-in-sync asks for; 1 of 2 replicas is in step, 2 are needed; not in step: b$' \
	'do: get b in step'
check "it comes first" explains_first a r0 '^problem +r0: I/O has been suspended'
heal a b
check_soon "the peer is back, and I/O goes on by itself" 30 quorum_again a
check_ends "the write too" "$writer"
check_soon "in step" 20 in_step a r0

# Errors instead of waiting
must repl a resource-options --on-no-quorum io-error r0
cut a b
check_soon "suspended" 20 no_quorum a
check_refused "a write fails" "error" timeout $((20 * slowness)) dd if=/dev/urandom \
	of="$(dev a)" bs=4k count=1 oflag=direct conv=notrunc
check "explain names the policy" explains a r0 5 'programs get errors \(on-no-quorum io-error\)'
heal a b
check_soon "the peer is back" 30 quorum_again a
check "and writes are done" write_some a 5
check_soon "in step" 20 in_step a r0
must repl a resource-options --on-no-quorum suspend-io r0

# Changed while a write waits
one_waits
check "one is enough" repl a resource-options --min-in-sync 1 r0
check_ends "the write goes on" "$writer"
check "alone" set_is a 0x1
check "I/O is not suspended" is a r0 .suspended false
check "and others" write_some a 5
check "two again" repl a resource-options --min-in-sync 2 r0
check_soon "I/O is suspended at once" 5 no_quorum a
begin_write a
sleep 2
check "a write waits" kill -0 "$writer"
heal a b
check_soon "the peer is filled, and I/O goes on" 40 quorum_again a
check_ends "the write too" "$writer"
check_soon "in step" 20 in_step a r0
must repl a secondary r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
