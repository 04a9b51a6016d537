#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# explain says what is wrong and what to do: peers that are away, a split brain, a
# lost disk; and its words are those that a promotion is refused with.
. "$(dirname "$0")/lib.sh"

setup_nodes a b c
new_conf r0 16
up r0
brisk r0
must busywait 20 connected a r0
check "blank disks" explains a r0 5 'volume 0: .* no data on it yet' 'blkrepl new-data-set r0'
synced r0

check "all is well on the Primary" explains a r0 0 '^ok +r0: .*a is Primary' \
	'^ok +r0 volume 0: UpToDate' '^ok +r0 peer b: connected and in step' '^ok +r0 promotion'
check "all is well on a Secondary" explains b r0 0 '^ok +r0: b is Secondary, a is Primary' \
	'could become Primary in the place of a' 'here: blkrepl primary r0'

# A peer is cut off, first from the Primary, then from all.
cut a c
check_soon "a peer that is cut off comes first" 30 explains_first a r0 '^problem +r0 peer c: not connected'
check_soon "another sees the Primary" 20 explains c r0 5 \
	'a is Primary' 'problem +r0 peer a: not connected'
check "why it is not promoted" refused_so c r0
check "it may lack something" explains c r0 5 'warning +r0 volume 0: UpToDate when' 'refused by b: that node'
check "something is written without it" write_some a 4
check_soon "of which it hears" 20 is c r0 '.devices[0]."disk-state"' Outdated

# One that knows that it is older.
must repl b pause-sync r0:c
must repl a secondary r0
check_soon "a resync that is held" 20 explains c r0 5 'volume 0: .*filled from b' 'on b: blkrepl resume-sync r0'
check "there too" explains b r0 5 'peer c: volume 0: the resync is paused here' 'here: blkrepl resume-sync r0'
must repl a primary r0
check "something is written" write_some a 4
cut b c
check_soon "alone: who has to come back" 20 explains c r0 5 'volume 0: Outdated' 'not heard of: a and b' \
	'bring back a and b' 'primary --force would go on' 'lacks writes'
check "why it is not promoted" refused_so c r0

# By force: what comes of it, and that the advice mends it.
must repl c primary --force r0
check "it writes" write_some c 4
must repl b resume-sync r0:c
heal a c
heal b c
check_soon "the data has diverged" 30 explains a r0 5 'problem +r0 peer c: .*(diverged|Primary)'
must repl c secondary r0
for node in a b c; do
	must repl $node connect r0
done
check_soon "which both say" 30 explains c r0 5 'problem +r0 peer a: .*diverged.*c and a have both written' \
	'connect r0:a --discard-my-data'
check_soon "the other one too" 30 explains a r0 5 'problem +r0 peer c: .*diverged'
must repl c connect r0:a --discard-my-data
must repl a connect r0:c
check_soon "as it advises" 40 is a r0 '.connections | map(select(.name == "c"))[0].peer_devices[0]."peer-disk-state"' UpToDate
must repl b connect r0
must repl c connect r0
check_soon "all is well again" 40 explains a r0 0 '^ok +r0 peer c: connected and in step'

# A Primary without a disk.
must repl a detach r0
check "a diskless node" explains a r0 5 '^problem +r0 volume 0: no disk is attached' \
	'I/O goes on with the data of b' 'do: blkrepl attach r0/0'
check_soon "its peer says where" 10 explains b r0 5 'on a: blkrepl attach r0/0'
must repl a attach r0
must busywait 30 in_step a r0

down r0
