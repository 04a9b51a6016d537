#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Several volumes: with metadata inside and outside, and sectors of 4 KiB.
. "$(dirname "$0")/lib.sh"

# volume_disks NODE: volume 0 internal, 1 external, 2 with large sectors
volume_disks()
{
	local i=$1 node=$2 large

	truncate -s 16M "$tmp/disks/r0.2-$node"
	large=$(losetup --sector-size 4096 --find --show "$tmp/disks/r0.2-$node")
	cat <<-END
		on $node {
			node-id $i;
			address 10.11.0.$((i + 1)):7789;
			volume 0 { device minor $((i * 10)); disk $(new_disk "r0.0-$node" 16); meta-disk internal; }
			volume 1 { device minor $((i * 10 + 1)); disk $(new_disk "r0.1-$node" 8); meta-disk $(new_disk "m0.1-$node" 16); }
			volume 2 { device minor $((i * 10 + 2)); disk $large; meta-disk internal; }
		}
	END
}

setup_nodes a b
{
	echo 'resource r0 { net { secret "not a secret at all"; }'
	volume_disks 0 a
	volume_disks 1 b
	echo '}'
} >"$conf/r0.conf"
chmod 600 "$conf/r0.conf"
scribble "$tmp/disks/r0.1-a" 8192
before=$(sum "$tmp/disks/r0.1-a" 8192)
up r0
synced r0

check_equal "with external metadata, all of the disk is data" \
	"$(query a r0 '.devices[1]."size-bytes"')" $((8 << 20))
check_equal "and what was there has stayed" "$(sum "$(dev a 1)" 8192)" "$before"
check_equal "large sectors" "$(blockdev --getss "$(dev a 2)")" 4096
check_refused "and no smaller ones" "invalid" dd if=/dev/zero \
	of="$(dev a 2)" bs=512 count=1 oflag=direct
check "write to all at once" fio --direct=1 --rw=randwrite --bsrange=4k-64k \
	--ioengine=libaio --iodepth=8 --size=8M --io_size=2M --verify=crc32c \
	--minimal --name=v0 --filename="$(dev a 0)" \
	--name=v1 --filename="$(dev a 1)" --name=v2 --filename="$(dev a 2)"
size0=$(query a r0 '.devices[0]."size-bytes"')
size2=$(query a r0 '.devices[2]."size-bytes"')

down r0
check "volume 0 is the same" same r0.0 "$size0"
check "volume 1 is the same" same r0.1 $((8 << 20))
check "volume 2 is the same" same r0.2 "$size2"
