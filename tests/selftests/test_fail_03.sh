#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A metadata device that fails: what can't be recorded isn't done on that disk;
# the node carries on from a peer's.
. "$(dirname "$0")/lib.sh"

disk='.devices[0]."disk-state"'

# meta_conf: as new_conf, with metadata on devices of their own, and a log that
# has room for 7 of the 16 extents
meta_conf()
{
	local node data meta

	{
		echo "resource r0 {"
		echo "	net { secret \"not a secret at all\"; }"
		echo "	disk { al-extents 7; }"
		for node in a b; do
			data=$(new_disk "r0-$node" 64)
			meta=$(dm_disk "meta-$node" 4)
			cat <<-END
				on $node {
					node-id $(node_id $node);
					address $(node_addr $node):7789;
					volume 0 {
						device minor $(($(node_id $node) * 10));
						disk $data;
						meta-disk $meta;
					}
				}
			END
		done
		echo "}"
	} >"$conf/r0.conf"
	chmod 600 "$conf/r0.conf"
}

# What was hot, of a resync too, is so no more: 8 extents are written to.
cool()
{
	local mib

	for mib in $(seq 32 4 60); do
		must scribble "$(dev a)" 64 $((mib << 10))
	done
}

setup_nodes a b
meta_conf
up r0
synced r0
size=$(bytes r0)
check_equal "all of the disk is for data" "$size" $((64 << 20))

cool
break_disk meta-a
# a new extent has to go to the activity log
check "a write does not notice" scribble "$(dev a)" 64 16384
check_soon "the disk is let go of" 20 is a r0 "$disk" Diskless
want=$(sum "$(dev b)" 64 16384)
check_equal "the write is on the peer's" "$(sum "$(dev a)" 64 16384)" "$want"
check_refused "it does not come back without metadata" "metadata" repl a attach r0
mend_disk meta-a
check "it does when it is mended" repl a attach r0
check_soon "and is brought up to date" 30 in_step a r0

cool
break_disk meta-b
check "a Secondary's metadata fails under a write" scribble "$(dev a)" 64 12288
check_soon "its disk is let go of" 20 is b r0 "$disk" Diskless
check "writes go on" scribble "$(dev a)" 256 8192
mend_disk meta-b
check "back again" repl b attach r0
check_soon "and in step" 30 in_step a r0

# Reads work, writes fail: attach has to write.
must repl b detach r0
modprobe -q dm-flakey
loop=$(losetup -n -O NAME -j "$tmp/disks/meta-b")
dm_table meta-b "0 8192 flakey $loop 0 0 60 1 error_writes"
check_refused "not attached where metadata can't be written" "metadata" \
	repl b attach r0
check "b has no disk" is b r0 "$disk" Diskless
mend_disk meta-b
check "attached when it can" repl b attach r0
check_soon "in step at last" 30 in_step a r0

# The last replica's metadata: nobody is left, and the writer is told.
must repl b down r0
must repl a resource-options --on-no-data io-error r0
cool
break_disk meta-a
check_refused "no disk left" "input/output error" \
	dd if=/dev/urandom of="$(dev a)" bs=64k count=1 seek=320 oflag=direct
check_soon "none is used" 20 is a r0 "$disk" Diskless
mend_disk meta-a
must repl a attach r0
check "usable again" scribble "$(dev a)" 64 20480
must repl b up r0
check_soon "in step" 30 in_step a r0
down r0
check "the same bits" same r0 "$size"
