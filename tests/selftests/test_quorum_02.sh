#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nodes that promote themselves: a Primary that is cut off is replaced, and steps
# down when it is back; one that an administrator has demoted is not.
. "$(dirname "$0")/lib.sh"

# primary_of NODE...: the one of these that is Primary
primary_of()
{
	local node

	for node in "$@"; do
		! is "$node" r0 .role Primary >/dev/null || echo "$node"
	done
}

replaced()
{
	[ -n "$(primary_of b c)" ]
}

one_primary()
{
	[ "$(primary_of "${nodes[@]}" | wc -l)" -eq 1 ]
}

# gone PID: it has ended
gone()
{
	! kill -0 "$1" 2>/dev/null
}

not()
{
	! "$@" 2>/dev/null
}

setup_nodes a b c
new_conf r0 32 'options { ack-policy quorum; auto-promote yes; }'
up r0
synced r0
scribble "$(dev a)" 1024
sum_a=$(sum "$(dev a)" 1024)

# A program that goes on writing on the node that is cut off.
work_on "$(dev a)" --offset=16M --rate=256k
work=$started
exec 9<>"$(dev a)"
cut a b
cut a c
check_soon "another takes its place" 20 replaced
new=$(primary_of b c)
check_equal "only one" "$(wc -w <<<"$new")" 1
check_equal "with every acknowledged write" "$(sum "$(dev "$new")" 1024)" "$sum_a"
check "which writes" write_some "$new" 20
check_soon "the old one knows that it has no majority" 20 no_quorum a
check "its program waits" kill -0 "$work"
heal a b
heal a c
check_soon "back, it is Secondary" 60 is a r0 .role Secondary
check_soon "its program was told" 30 gone "$work"
check_soon "all are in step" 60 in_step "$new" r0
check_equal "the new one is still Primary" "$(primary_of b c)" "$new"
check "nobody writes on the old one" not write_some a 1
check "who has it open since before gets errors" \
	not dd of=/dev/null bs=4k count=1 iflag=direct status=none <&9

# By an administrator's word nobody is replaced.
must repl "$new" secondary r0
sleep $((3 * slowness))
check_equal "none where none is wanted" "$(primary_of a b c)" ""
check_refused "who has it open is in the way" "close it first" repl a primary r0
exec 9>&-

# Suspended I/O fails by an administrator's word, or after a while by itself.
must repl a primary r0
cut a b
cut a c
work_on "$(dev a)" --offset=16M --rate=256k
work=$started
check_soon "no majority" 20 no_quorum a
check "by force it becomes Secondary" repl a secondary --force r0
check_soon "and its program ends" 30 gone "$work"
heal a b
heal a c
check_soon "another takes its place again" 30 replaced
new=$(primary_of b c)
check_soon "all in step" 60 in_step "$new" r0
other=$([ "$new" = b ] && echo c || echo b)
must repl "$new" resource-options --on-no-quorum io-error r0
cut "$new" a
cut "$new" "$other"
work_on "$(dev "$new")" --offset=16M --rate=256k
work=$started
check_soon "with on-no-quorum io-error a program ends by itself" 60 gone "$work"
heal "$new" a
heal "$new" "$other"
check_soon "one Primary in the end" 60 one_primary
new=$(primary_of a b c)
check_soon "all in step again" 60 in_step "$new" r0
must repl "$new" secondary r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
