#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Disks and metadata that are not fit: refused, with a reason, nothing changed.
. "$(dirname "$0")/lib.sh"

image=$tmp/disks/r0-a

# refused DESCRIPTION PATTERN: attaching on a, which leaves the disk as it was
refused()
{
	local before

	before=$(sha256sum <"$image")
	check_refused "$1" "$2" repl a attach r0
	check_equal "... and left alone" "$(sha256sum <"$image")" "$before"
	[ "$(repl a dstate r0 | sed 's,/.*,,')" = Diskless ] || fail "still diskless"
}

restore()
{
	dd if="$tmp/good" of="$image" bs=1M conv=notrunc,fsync status=none
}

poke()
{
	dd if=/dev/urandom of="$image" bs=16 count=1 oflag=seek_bytes \
		conv=notrunc,fsync status=none seek="$1"
}

# limits: what the device says that it takes
limits()
{
	(cd "/sys/block/$(basename "$(dev a)")/queue" &&
		grep . ./*_block_size dma_alignment minimum_io_size discard_max*)
}

setup_nodes a b
new_conf r0 8
loop=$(losetup -n -O NAME -j "$image")
repl a up r0 >/dev/null 2>&1
refused "no metadata" "no blkrepl metadata"
must mkfs.ext4 -q -F "$loop"
check_refused "a file system is spared" "ext4" repl a create-md r0
must mkdir "$tmp/mnt"
must mount "$loop" "$tmp/mnt"
check_refused "a mounted one even from force" "in use" repl a create-md --force r0
must umount "$tmp/mnt"
must repl a create-md --force r0
check_refused "metadata is spared" "already" repl a create-md r0
must ln -s "$loop" "$tmp/same"
check_refused "a meta-disk that is the disk, by another path" "disk itself" \
	on a blkrepl create-md --force "$loop" --meta-disk "$tmp/same"
check_refused "nor a directory" "no block device" \
	on a blkrepl create-md "$tmp/disks"
must mkfs.ext4 -q -F "$loop" 4M
must mount "$loop" "$tmp/mnt"
check_refused "a mounted disk is not attached" "in use" repl a attach r0
must umount "$tmp/mnt"
must cp "$image" "$tmp/good"

mapfile -t super < <(grep -obUa BLKPER01 "$image" | sed 's/:.*//')
check_equal "two superblocks" ${#super[@]} 2
poke "${super[0]}"
poke "${super[1]}"
refused "both without their magic" "no blkrepl metadata|damaged"
restore
poke $((super[0] + 64))
poke $((super[1] + 64))
refused "both damaged" "damaged"
restore
truncate -s 7M "$image"
losetup -c "$loop"
refused "the end with the metadata is gone" "no blkrepl metadata"
truncate -s 8M "$image"
losetup -c "$loop"
for i in 0 1; do
	restore
	poke $((super[i] + 64))
	check "one damaged superblock of two does not matter ($i)" repl a attach r0
	must repl a detach r0
done

# Whose it is
must repl a down r0
id=$(on a blkrepl show-md r0 | sha256sum)
must repl a new-resource r0 5
must repl a new-volume r0/0 0
check_refused "metadata of another node" "another node id" repl a attach r0/0 "$loop"
must repl a del-volume r0/0
must repl a new-volume r0/3 0
check_refused "or of another volume" "another" repl a attach r0/3 "$loop"
check_refused "no such disk" "does not exist" repl a attach r0/3 /dev/nothing
check_refused "no disk at all" "not a block device" repl a attach r0/3 "$image"
check_refused "an unknown volume" "volume" repl a attach r0/7 "$loop"
check_refused "an unknown resource" "r9" repl a attach r9/0 "$loop"
must repl a del-volume r0/3
must repl a del-resource r0

# What the core refuses, when all else has been looked at
truncate -s 16M "$tmp/disks/r0-big"
big=$(losetup --find --show --sector-size 4096 "$tmp/disks/r0-big")
must on a blkrepl create-md --force --max-peers 1 "$big"
must repl a new-resource r0 0
must repl a new-volume r0/0 0
for node in 1 2; do
	must repl a new-peer r0 $node --auth-none --local-addr 10.11.0.1:7789 \
		--peer-addr 10.11.0.$((node + 1)):7789
done
limits=$(limits)
check_refused "no room for all peers" "no room for so many" \
	repl a attach r0/0 "$big"
check_equal "the device's limits are what they were" "$(limits)" "$limits"
must repl a del-peer r0:2
must repl a attach r0/0 "$big"
check "they are the disk's if it is attached" [ "$(limits)" != "$limits" ]
must repl a down r0
losetup -d "$big"
check_equal "its metadata says what it said" "$(on a blkrepl show-md r0 | sha256sum)" "$id"
tiny=$(losetup --find --show --sizelimit 65536 "$tmp/good")
check_refused "a disk without room for metadata" "too small" \
	on a blkrepl create-md --force "$tiny"
losetup -d "$tiny"
check "after all that it works" repl a up r0
check_equal "with its disk" "$(repl a dstate r0 | sed 's,/.*,,')" Inconsistent
must repl a down r0
