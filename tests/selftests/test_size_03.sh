#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Disks that have grown, with metadata at their end: what blkrepl(8) says is to
# be done, one node after the other and in use; and when all have grown first.
. "$(dirname "$0")/lib.sh"

# sent: bytes that all have sent to their peers since they are connected
sent()
{
	local node n all=0

	for node in "${nodes[@]}"; do
		n=$(query "$node" r0 '.connections | map(."sent-bytes") | add')
		all=$((all + n))
	done
	echo "$all"
}

setup_nodes a b c
new_conf r0 16
up r0
synced r0
old=$(bytes r0)
scribble "$(dev a)" 2048

# --- as documented, while the device of a is in use

work_on "$(dev a)" --offset=8M --size=1M --rate=16k
work=$started
for node in a b c; do
	stretch "r0-$node" 24M
	check_refused "$node: resize says what is missing" "grow-md" repl "$node" resize r0/0
	check_refused "$node: not while it is attached" "in use" repl "$node" grow-md r0/0
	before=$(sent)
	check "$node: detach" repl "$node" detach r0/0
	check_refused "$node: found no more" "grow-md r0/0" repl "$node" attach r0/0
	check "$node: grow-md" repl "$node" grow-md r0/0
	check "$node: attach" repl "$node" attach r0/0
	check "$node: wait-sync" repl "$node" wait-sync r0 --timeout $((60 * slowness))
	must busywait 60 in_step a r0
	used=$(($(sent) - before))
	check "$node: only what was written meanwhile is synced ($used bytes)" \
		[ "$used" -lt $((12 << 20)) ]
	check_equal "$node: the volume is as it was" "$(bytes r0)" "$old"
done
check "resize" repl a resize r0/0
new=$(bytes r0)
check "from $old to $new bytes" [ "$new" -gt $((23 << 20)) ]
check_soon "so does the device" 10 size_is "$(dev a)" "$new"
check "the writer has not been disturbed" kill "$work"
wait "$work"
check "the new part can be used" scribble "$(dev a)" 1024 $((20 << 10))
check_soon "and is in step" 60 in_step a r0
down r0
check "the same bits" same r0 "$new"
part=$(((new >> 10) - 400))
before=$(sum "$tmp/disks/r0-a" "$part" 400)

# --- all have grown before anything is done, and have been down

for node in a b c; do
	must repl "$node" up r0
done
must busywait 60 connected a r0
must repl a primary r0
must busywait 60 in_step a r0
must repl c disconnect r0
must repl a disconnect r0:c
write_some a 100
must repl a secondary r0
down r0
for node in a b c; do
	stretch "r0-$node" 32M
	check_refused "$node: cannot be attached, and says why" "has grown.*grow-md" \
		repl "$node" up r0
	check "$node: grow-md" repl "$node" grow-md r0
	check "$node: up" repl "$node" up r0
done
check_soon "they are connected" 60 connected a r0
check_soon "and in step" 60 in_step a r0
check_equal "as large as before" "$(bytes r0)" "$new"
used=$(sent)
check "by what was not on c, and no more ($used bytes)" [ "$used" -lt $((4 << 20)) ]
check "resize, of a device that nobody uses" repl b resize r0
check "to what there is" [ "$(bytes r0)" -gt $((31 << 20)) ]
check "a Primary" repl a primary r0
check_soon "fills what is new" 60 in_step a r0
check_equal "what was there has stayed" "$(sum "$(dev a)" "$part" 400)" "$before"
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
