#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Three nodes: what is written on one is on all disks, bit by bit.
. "$(dirname "$0")/lib.sh"

setup_nodes a b c
new_conf r0 32
# disks that have nothing in common
for node in a b c; do
	scribble "$tmp/disks/r0-$node" 4096 $(($(node_id $node) * 2048))
done
up r0
synced r0
size=$(bytes r0)
check "some of it is kept for metadata" [ "$size" -lt $((32 << 20)) ]
check "nearly all of it is data" [ "$size" -gt $((30 << 20)) ]

check "through the page cache" dd if=/dev/urandom of="$(dev a)" bs=100k \
	count=20 conv=fsync status=none
check "past it, all sizes, many at once, verified" \
	fio --name=mirror --filename="$(dev a)" --rw=randrw --direct=1 \
	--bsrange=512-128k --ioengine=libaio --iodepth=16 \
	--size="$size" --io_size=8M --verify=crc32c --minimal
check "the last sector" dd if=/dev/urandom of="$(dev a)" bs=512 count=1 \
	oflag=direct seek=$((size / 512 - 1)) status=none
check_refused "and none after it" "no space" dd if=/dev/zero of="$(dev a)" \
	bs=512 count=1 oflag=direct seek=$((size / 512)) status=none
here=$(sum "$(dev a)" 8192)
check_equal "a Secondary reads the same" "$(sum "$(dev b)" 8192)" "$here"
check "nothing is out of sync" is a r0 \
	'| [.connections[].peer_devices[]."out-of-sync-bytes"] | add' 0

down r0
check "three disks, the same bits" same r0 "$size"
check_equal "those that were read" "$(head -c 8M "$tmp/disks/r0-c" | sha256sum)" "$here"
