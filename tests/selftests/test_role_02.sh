#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The role moves by one word on the node that is to have it: nothing that was
# written fails or is lost, and a device that is in use stays where it is.
. "$(dirname "$0")/lib.sh"

mnt=$tmp/mnt

# moves FROM TO: with what has been written just before
moves()
{
	local from=$1 to=$2 want

	scribble "$(dev "$from")" 512 $(($(node_id "$to") * 512))
	want=$(sum "$(dev "$from")" 2048)
	check "from $from to $to" repl "$to" primary r0
	check_equal "$to has what $from had" "$(sum "$(dev "$to")" 2048)" "$want"
	check_equal "$from is Secondary" "$(repl "$from" role r0)" Secondary
}

# writes NODE: one program, from opening to closing; every error counts
writes()
{
	fio --name=burst --filename="$(dev "$1")" --rw=randwrite --direct=1 \
		--bs=4k --size=8M --io_size=1M --ioengine=libaio --iodepth=8 \
		--end_fsync=1 --verify=crc32c --minimal >/dev/null
}

setup_nodes a b c
new_conf r0 64
up r0
synced r0
must busywait 20 in_step b r0

from=a
for to in b c a b a; do
	moves $from $to
	from=$to
done
check "and explain says it could" explains b r0 0 \
	"b could become Primary in the place of a, which steps down for it"

# A load that ends, and begins again wherever the role has gone.
for to in b c a; do
	check "a load on $from" writes $from
	check "moves to $to as soon as it has ended" repl $to primary r0
	from=$to
done

# In use: the refusal says where and what, and nothing is disturbed.
must mkfs.ext4 -q -F "$(dev a)"
mkdir -p "$mnt"
must mount "$(dev a)" "$mnt"
echo here >"$mnt/file"
check_refused "not while a file system is mounted there" \
	"a \(node 0\): it is Primary, and volume 0 is open for writing there: close it first" \
	repl b primary r0
check_equal "which stays Primary" "$(repl a role r0)" Primary
check "and goes on" sh -c "echo more >>'$mnt/file' && sync -f '$mnt/file'"
check_refused "nor by force" "make it Secondary first" repl b primary --force r0
must umount "$mnt"
check "but once it is unmounted" repl b primary r0
must mount "$(dev b)" "$mnt"
check_equal "the file system has all" "$(cat "$mnt/file")" "$(printf 'here\nmore')"
must umount "$mnt"

# Elected, and in the place of one that waits for nobody.
check_refused "the Primary is not the first to count on a majority" "the Primary last" \
	repl b resource-options r0 --ack-policy quorum
for node in a c b; do
	must repl $node resource-options r0 --ack-policy quorum
done
must busywait 30 in_step b r0
moves b c
moves c a
check_refused "nor the last to do so" "and this node after it" \
	repl b resource-options r0 --ack-policy async
for node in a b c; do
	must repl $node resource-options r0 --ack-policy async
done
check "writes" write_some a 4
check_soon "the others follow" 30 is a r0 \
	'.connections | all(.peer_devices[0]."peer-disk-state" == "Consistent")' true
moves a b
check_soon "the others follow" 30 is b r0 \
	'.connections | all(.peer_devices[0]."replication-state" == "Established")' true
moves b a

# Two ask at once: one gets it, or the Primary keeps it.
for node in b c; do
	repl $node primary r0 >/dev/null 2>&1 &
done
wait
sleep 1
won=0
for node in a b c; do
	[ "$(repl $node role r0)" != Primary ] || won=$((won + 1))
done
check "two ask at once: $won Primary" [ "$won" -le 1 ]
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
