#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# File systems move between nodes, with all that was written to them.
. "$(dirname "$0")/lib.sh"

# tree DIR: what is in there, as checksums
tree()
{
	(cd "$1" && find . -type f -exec sha256sum {} + | sort)
}

# round FS CHECKER...: made on a, filled, moved to b, filled, moved back
round()
{
	local fs=$1 opts

	shift
	# no discard: it may become writes of zeroes, and the disks are in memory
	opts="-q -E nodiscard"
	[ "$fs" != xfs ] || opts="-q -f -K"
	# shellcheck disable=SC2086 # options
	check "mkfs.$fs" "mkfs.$fs" $opts "$(dev a)"
	check "mounted" mount "$(dev a)" "$tmp/mnt"
	must cp -r "$tree/kmod" "$tmp/mnt/"
	must fio --name=mix --directory="$tmp/mnt" --rw=randwrite --size=1M \
		--nrfiles=4 --bsrange=512-64k --bs_unaligned --fsync=16 \
		--ioengine=psync --minimal >/dev/null
	tree "$tmp/mnt" >"$tmp/want"
	must umount "$tmp/mnt"
	must repl a secondary r0
	must repl b primary r0
	check "$fs is whole on b" "$@" "$(dev b)"
	must mount "$(dev b)" "$tmp/mnt"
	check "with all files" diff <(tree "$tmp/mnt") "$tmp/want"
	must rm -r "$tmp/mnt/kmod"
	must dd if=/dev/urandom of="$tmp/mnt/new" bs=64k count=16 conv=fsync status=none
	tree "$tmp/mnt" >"$tmp/want"
	must umount "$tmp/mnt"
	must repl b secondary r0
	must repl a primary r0
	check "$fs is whole on a" "$@" "$(dev a)"
	must mount -o ro "$(dev a)" "$tmp/mnt"
	check "with all files" diff <(tree "$tmp/mnt") "$tmp/want"
	must umount "$tmp/mnt"
}

modprobe -qa xfs ext4
must mkdir "$tmp/mnt"
setup_nodes a b
new_conf r0 320
up r0
must busywait 20 connected a r0
must repl a new-data-set r0
must repl a primary r0
round xfs xfs_repair -n
round ext4 e2fsck -fn
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
