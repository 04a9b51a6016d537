#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fencing without votes: a Primary that has lost its peer waits until somebody says
# that the peer was switched off, and nobody else becomes Primary meanwhile.
. "$(dirname "$0")/lib.sh"

setup_nodes a b
new_conf r0 32 'options { fencing wait; }'
start a blkrepl events --json >"$tmp/events" 2>&1
sleep 1
up r0
synced r0
brisk r0
scribble "$(dev a)" 1024

seen()
{
	grep -E -- "$1" "$tmp/events"
}

# fence_is NODE WORD: of its peer
fence_is()
{
	is "$1" r0 '.connections[0].fencing' "$2"
}

# Before b knows, it would ask the Primary to step down.
apart()
{
	! connected b r0
}

waiting()
{
	kill -0 "$writer"
}

check_refused "fencing and votes contradict each other" "nobody has to be fenced" \
	repl a resource-options --quorum majority r0
check_refused "who is connected was not fenced" "is connected" repl a fenced r0:b

# Taken down, it leaves in order.
must repl b down r0
check "without one that was taken down it goes on" timeout 20 dd if=/dev/urandom \
	of="$(dev a)" bs=4k count=4 oflag=direct conv=notrunc status=none
must repl b up r0
check_soon "it comes back" 60 in_step a r0

cut a b
write_some a 4 &
writer=$!
check_soon "cut off from its peer, the Primary waits" 30 no_quorum a
check_soon "fencing is wanted" 30 fence_is a wanted
check_soon "and an event says so" 10 seen '"object":"fence","resource":"r0","peer-name":"b","peer-node-id":1,"text":"I/O waits'
check "explain says what to do" explains a r0 5 'fencing wait.*: b$' 'do: bring back b; or power it off.*blkrepl fenced r0:b'
check_soon "the other one has lost it, too" 30 apart
check "the other one is not promoted" refused_so b r0
check "for it may be Primary" explains b r0 5 'power it off.*blkrepl fenced r0:a'
check_soon "it wants the first one fenced" 10 fence_is b wanted
check "nothing was acknowledged so far" waiting

# Its power goes.
must repl b down r0
check "somebody says that it was fenced" repl a fenced r0:b
check_ends "the Primary goes on" "$writer"
check "nothing is suspended" quorum_again a
check "it counts as fenced" fence_is a "done"
must scribble "$(dev a)" 512 4096

must repl b up r0
check_refused "one that comes back is not promoted before it has met the other" "Consistent" \
	repl b primary r0
heal a b
check_soon "once they meet all is in step" 60 in_step a r0
check "and the word is forgotten" fence_is a none
must repl a secondary r0
check "the role moves" repl b primary r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
