#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nodes are added and removed in use, one at a time and the Primary first.
. "$(dirname "$0")/lib.sh"

setup_nodes a b c d
new_conf r0 32 'options { ack-policy quorum; }'
cp "$conf/r0.conf" "$tmp/all.conf"

# the_nodes_lack [NODE]: in the configuration, from now on
the_nodes_lack()
{
	sed "/^on ${1:-nobody} {/,+8d" "$tmp/all.conf" >"$conf/r0.conf"
}

the_nodes_lack d
for node in a b c; do
	must repl "$node" create-md --force r0
	must repl "$node" up r0
done
synced r0
work_on "$(dev a)" --offset=16M --rate=256k
work=$started
scribble "$(dev a)" 1024

# At first the set is still made anew, as the first change was.
refused_for_b()
{
	repl a adjust r0 2>&1 | grep -E "b .node 1.*another list"
}

# linked NODE PEER, linked_all NODE: connected, without a moment's wait
linked()
{
	is "$1" r0 ".connections[] | select(.name == \"$2\") | .\"connection-state\"" Connected
}

linked_all()
{
	linked "$1" b && linked "$1" c
}

# A fourth one.
the_nodes_lack
check_refused "a secondary is not the first" "the Primary first" repl b adjust r0
check_soon "the primary is" 20 repl a adjust r0
the_nodes_lack c
check_soon "no other change before this one is everywhere" 20 refused_for_b
check "who may not go yet is still connected" linked_all a
the_nodes_lack
check "the primary is as it was" repl a adjust r0
check_soon "b follows" 20 repl b adjust r0
check_soon "c follows" 20 repl c adjust r0
must repl d create-md --force r0
check "the new one comes" repl d up r0
check_soon "all are in step" 60 in_step a r0
check_soon "the set is all four" 20 set_is a 0xf

# One of the others goes, while it is connected and writes are in flight.
the_nodes_lack c
check "c is connected" linked a c
check_soon "the primary lets it go" 30 repl a adjust r0
check_soon "b does" 20 repl b adjust r0
check_soon "d does" 20 repl d adjust r0
must repl c down r0
check_soon "the set is the other three" 20 set_is a 0xb
check_equal "d does not know it" "$(query d r0 '.connections | length')" 2
check "the program has gone on" kill -0 "$work"
stop "$work"

# Two of three are a majority.
cut a d
cut b d
check "two go on" timeout 60 dd if=/dev/urandom of="$(dev a)" bs=4k count=20 oflag=direct status=none
cut a b
check_soon "one does not" 30 no_quorum a
heal a b
heal a d
heal b d
check_soon "all are in step again" 60 in_step a r0
must repl a secondary r0
size=$(bytes r0)
for node in a b d; do
	must repl "$node" down r0
done
for node in b d; do
	check "the same bits on $node" cmp -n "$size" "$tmp/disks/r0-a" "$tmp/disks/r0-$node"
done
