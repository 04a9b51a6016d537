#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All in step acknowledge, and primaries are elected: the set shrinks once a
# majority has noted it, one that is cut off waits, another is promoted; and votes
# are switched off and on while the resource is in use.
. "$(dirname "$0")/lib.sh"

# votes_are off|majority NODE...: adjust these to it, in this order
votes_are()
{
	local node

	sed -i "s/quorum [a-z]*;/quorum $1;/" "$conf/r0.conf"
	shift
	for node in "$@"; do
		must repl "$node" adjust r0
	done
}

setup_nodes a b c
new_conf r0 32 'options { ack-policy sync; quorum majority; }'
up r0
synced r0
brisk r0
check "it can be read back" is a r0 .quorum majority

# What has not changed asks for no other term.
term=$(repl a status --json r0 | jq '.[0].term')
must repl a adjust r0
check_equal "adjust leaves the reign alone" "$(repl a status --json r0 | jq '.[0].term')" "$term"
check "and everybody connected" in_step a r0
scribble "$(dev a)" 1024

# One is lost: a majority notes that, and then the two go on without it.
work_on "$(dev a)" --offset=16M --rate=256k
work=$started
cut a c
cut b c
check_soon "the set is the two others" 20 set_is a 0x3
check_soon "as the one that is left knows" 10 set_is b 0x3
check "they go on" timeout 60 dd if=/dev/urandom of="$(dev a)" bs=4k count=20 oflag=direct status=none
check_soon "the one that was left out is alone" 20 is c r0 '.connections | all(."connection-state" != "Connected")' true
check_refused "and is not promoted" "too few are connected" repl c primary r0

# Alone there is no majority for a smaller set.
cut a b
check_soon "alone it has no majority" 20 no_quorum a
check "explain says so" explains a r0 5 "quorum majority"
check "its program waits" kill -0 "$work"
heal a b
check_soon "it goes on by itself" 20 quorum_again a
check "so does its program" kill -0 "$work"
stop "$work"
heal a c
heal b c
check_soon "all are in step" 60 in_step a r0
sum_a=$(sum "$(dev a)" 1024)

# The majority goes on without the primary.
cut a b
cut a c
work_on "$(dev a)" --offset=16M --rate=256k
work=$started
check_soon "the primary has no majority" 20 no_quorum a
check_soon "the others can promote one" 30 repl b primary r0
check_equal "which has every acknowledged write" "$(sum "$(dev b)" 1024)" "$sum_a"
check "and writes" write_some b 20
check "the old one acknowledges nothing" no_quorum a
heal a b
heal a c
check_soon "it steps down" 60 is a r0 .role Secondary
check_soon "and is filled" 60 in_step b r0
stop "$work" 2>/dev/null

# Without votes a primary goes on alone.
votes_are off a c b
check "votes are off" is b r0 .quorum off
check_soon "the primary goes on" 20 quorum_again b
check "and writes without them" write_some b 20
cut b a
cut b c
check "even alone" timeout 60 dd if=/dev/urandom of="$(dev b)" bs=4k count=20 oflag=direct status=none
heal b a
heal b c
check_soon "all are in step again" 60 in_step b r0

# Switched on, the primary comes last: it has to be elected.
sed -i "s/quorum off;/quorum majority;/" "$conf/r0.conf"
check_refused "the primary is not the first" "the Primary last" repl b adjust r0
votes_are majority a c b
check_soon "it was elected, and goes on" 30 quorum_again b
check_soon "with all of them" 60 in_step b r0
check "it writes" write_some b 20
cut b a
cut b c
check_soon "alone it has no majority any more" 20 no_quorum b
check_soon "another can be promoted" 30 repl c primary r0
heal b a
heal b c
check_soon "the old one steps down" 60 is b r0 .role Secondary
check_soon "all in step in the end" 60 in_step c r0
must repl c secondary r0
check_refused "a majority that acknowledges elects" "contradicts ack-policy quorum" \
	repl c resource-options --ack-policy quorum --quorum off r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
