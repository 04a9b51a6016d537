#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# File systems and odd I/O: discard, zeroes, flushes, small and large bios.
. "$(dirname "$0")/lib.sh"

setup_nodes a b
new_conf r0 64
up r0
synced r0
size=$(bytes r0)
disk=$(dev a)

scribble "$disk" 4096
check "discard" blkdiscard --offset 1M --length 512K "$disk"
check "discard, no more aligned than it has to be" \
	blkdiscard --offset $((2048 * 512 + 512)) --length $((77 * 512)) "$disk"
check "zeroes" blkdiscard --zeroout --offset 2M --length 700K "$disk"
check_equal "they are zeroes" "$(sum "$disk" 700 2048)" "$(head -c 700K /dev/zero | sha256sum)"
check "every odd sector by itself" fio --name=odd --filename="$disk" --direct=1 \
	--rw=write:512 --bs=512 --offset=3584 --io_size=64k --size=1M --minimal
check "large ones" dd if=/dev/urandom of="$disk" bs=8M count=2 seek=1 \
	oflag=direct iflag=fullblock status=none
check "with O_SYNC" dd if=/dev/urandom of="$disk" bs=12k count=8 \
	oflag=direct,sync status=none
check "a flush and nothing else" python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
for i in range(5):
    os.fsync(fd)' "$disk"
# Overlapping writes in flight: any may win, but the same one on both nodes.
check "overlapping writers" fio --name=over --filename="$disk" --direct=1 \
	--rw=randwrite --bsrange=512-16k --ioengine=libaio \
	--iodepth=32 --numjobs=3 --norandommap --offset=24M --size=64k \
	--number_ios=300 --minimal

must mkdir -p "$tmp/mnt"
check "mkfs.ext4" mkfs.ext4 -q -F "$disk"
check "mount it" mount -o discard "$disk" "$tmp/mnt"
check "a tree of files" cp -r "$tree/kmod" "$tree/docs" "$tmp/mnt"
must rm -r "$tmp/mnt/docs"
check "fstrim" fstrim "$tmp/mnt"
sync -f "$tmp/mnt"
check_refused "no demotion while it is mounted" "opened for writing" repl a secondary r0
must umount "$tmp/mnt"
must repl a secondary r0
must repl b primary r0
check "it is whole on the other node" e2fsck -fn "$(dev b)"
must mount "$(dev b)" "$tmp/mnt"
check "with all files" diff -r "$tree/kmod" "$tmp/mnt/kmod"
must umount "$tmp/mnt"
down r0
check "the same bits" same r0 "$size"
