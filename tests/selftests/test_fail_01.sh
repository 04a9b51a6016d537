#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk that fails: the node carries on from a peer's, by default.
. "$(dirname "$0")/lib.sh"

disk='.devices[0]."disk-state"'

make_disk=dm_disk
setup_nodes a b
new_conf r0 24
up r0
synced r0
scribble "$(dev a)" 1024

# Read-ahead may fail on a disk that only waits, but not what it becomes here.
must dmsetup suspend --noflush --nolockfs --noudevsync r0-a
want=$(sum "$(dev b)" 1024)
dd if="$(dev a)" of="$tmp/ahead" bs=64k count=16 status=none &
reader=$!
sleep $slowness
must dmsetup resume --noudevsync r0-a
check_ends "a reader waits for a disk that pauses" "$reader"
check_equal "it gets its data" "$(sum "$tmp/ahead" 1024)" "$want"
check "the disk is kept" in_step a r0

break_disk r0-a
check "a write does not notice" scribble "$(dev a)" 512 512
check_soon "the disk is let go of" 20 is a r0 "$disk" Diskless
want=$(sum "$(dev a)" 1024)
check_equal "reads come from the peer" "$(sum "$(dev b)" 1024)" "$want"
check "writes go there" scribble "$(dev a)" 512 2048
check "a file system, too" mkfs.ext4 -q -F "$(dev a)" 8M
check_refused "it does not come back broken" "." repl a attach r0
mend_disk r0-a
check "it does when it is mended" repl a attach r0
check_soon "and is brought up to date" 30 in_step a r0

# The same on the other side
break_disk r0-b
check "a Secondary's disk fails under a write" scribble "$(dev a)" 256 4096
check_soon "it is let go of" 20 is b r0 "$disk" Diskless
check "writes go on" scribble "$(dev a)" 256 5120
mend_disk r0-b
check "back again" repl b attach r0
check_soon "and in step" 30 in_step a r0

# By hand
check "detach" repl a detach r0
check "written meanwhile" scribble "$(dev a)" 256 6144
check "attach" repl a attach r0
must busywait 30 in_step a r0

# Or the application is told.
must repl b disconnect r0
must repl a disk-options --on-io-error pass-on r0
break_disk r0-a
check_refused "an error is passed on if that is wanted" "input/output error" \
	dd if="$(dev a)" of=/dev/null bs=4k count=1 iflag=direct skip=100
mend_disk r0-a
must repl b connect r0
must busywait 20 connected b r0
size=$(bytes r0)
check_soon "in step at last" 30 in_step a r0
down r0
check "the same bits" same r0 "$size"
