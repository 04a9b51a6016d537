#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Both sides of a cut have been Primary: a policy names the one whose changes go,
# never a Primary, and says so; else both stay as they are.
. "$(dirname "$0")/lib.sh"

link='.connections[0]."connection-state"'

alone()
{
	is "$1" r0 "$link" StandAlone
}

parted()
{
	! is "$1" r0 "$link" Connected >/dev/null
}

# policy WORD: on both
policy()
{
	must repl a resource-options r0 --after-split-brain "$1"
	must repl b resource-options r0 --after-split-brain "$1"
}

# part: a is Primary, and b becomes it too
part()
{
	must cut a b
	must busywait 30 parted a
	must busywait 30 parted b
	must repl b primary r0
}

# gives_up VICTIM STAYS: they meet, and the one has what the other has
gives_up()
{
	local want

	want=$(sum "$(dev "$2")" 2048)
	must heal a b
	check_soon "$1 gives up its changes" 60 in_step "$2" r0
	check_equal "and has those of $2" "$(sum "$(dev "$1")" 2048)" "$want"
}

setup_nodes a b
new_conf r0 32 'options { after-split-brain discard-secondary; }'
up r0
synced r0
brisk r0
scribble "$(dev a)" 2048

part
scribble "$(dev a)" 512
scribble "$(dev b)" 512 256
must repl b secondary r0
gives_up b a
check "it is in the log" sh -c "dmesg | grep -q 'discard-secondary gives up what was written here'"
check "on the other node too" \
	sh -c "dmesg | grep -q 'discard-secondary gives up what the peer has written'"

policy discard-younger-primary
part
scribble "$(dev a)" 512
scribble "$(dev b)" 512 256
must repl b secondary r0
gives_up b a
part
scribble "$(dev a)" 512
scribble "$(dev b)" 512 256
must repl a secondary r0
must heal a b
check_soon "a younger one that is Primary gives up nothing" 60 alone b
check_soon "nor does the other" 60 alone a
check "explain says it" explains b r0 5 "after-split-brain discard-younger-primary has not settled it"
must repl b secondary r0
want=$(sum "$(dev a)" 2048)
must repl a connect r0
must repl b connect r0
check_soon "once it is Secondary it does" 60 in_step a r0
check_equal "and has what the elder had" "$(sum "$(dev b)" 2048)" "$want"
must repl a primary r0

policy discard-unchanged
part
scribble "$(dev a)" 512
must repl b secondary r0
gives_up b a

must repl b resource-options r0 --after-split-brain ask
part
scribble "$(dev a)" 64
must repl b secondary r0
must heal a b
check_soon "two settings are none" 60 alone a
check "and explain says that" explains a r0 5 "as b has another setting"
must repl b resource-options r0 --after-split-brain discard-unchanged
must repl a connect r0
must repl b connect r0
check_soon "the same on both" 60 in_step a r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
