#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# FLUSH and FUA reach every disk; xfs lives on it.
. "$(dirname "$0")/lib.sh"

# log_disk NAME MIB: a disk that remembers what was sent to it, in order
log_disk()
{
	local loop log

	loop=$(new_disk "$1" "$2")
	log=$(new_disk "log-$1" $(($2 * 2)))
	new_dm "$1" "0 $(($2 * 2048)) log-writes $loop $log"
}

# after MARK NODE FLAG: how many writes with the flag came after the mark.
# A log is a superblock, then a header sector per entry and its data.
after()
{
	dmsetup message "r0-$2" 0 mark end >/dev/null
	python3 - "$tmp/disks/log-r0-$2" "$1" "$3" <<-END
		import struct, sys
		log = open(sys.argv[1], 'rb')
		magic, version, entries, size = struct.unpack('<QQQI', log.read(28))
		at, seen, count = size, False, 0
		for i in range(entries):
		    log.seek(at)
		    sector, sectors, flags, length = struct.unpack('<QQQQ', log.read(32))
		    text = log.read(length) if flags & 8 else b''
		    at += size + (0 if flags & 4 else sectors * size)
		    if text == sys.argv[2].encode():
		        seen, count = True, 0
		    count += bool(seen and flags & int(sys.argv[3]))
		print(count)
		sys.exit(not count)
	END
}

mark()
{
	must dmsetup message r0-a 0 mark "$1"
	must dmsetup message r0-b 0 mark "$1"
}

modprobe -q dm-log-writes
dmsetup targets | grep -q log-writes || skip "no dm-log-writes"
make_disk=log_disk
setup_nodes a b
new_conf r0 24
up r0
synced r0

scribble "$(dev a)" 64
mark flush
check "fsync" dd if=/dev/urandom of="$(dev a)" bs=4k count=1 conv=fsync status=none
check "flushes the own disk" after flush a 1
check "and the peer's" after flush b 1
mark fua
check "a write with FUA" dd if=/dev/urandom of="$(dev a)" bs=4k count=1 \
	oflag=direct,dsync status=none
# dm-log-writes sees FUA, or a flush after the write
check "is one on the own disk" after fua a 3
check "and on the peer's" after fua b 3
down r0
rm "$conf/r0.conf"

# Disks with 4k blocks, and which (log-writes) want memory so aligned: the
# device does, too, instead of handing down what they can't do.
new_disk()
{
	truncate -s "${2}M" "$tmp/disks/$1" &&
		losetup --sector-size 4096 --find --show "$tmp/disks/$1"
}

# read_at OFFSET: 4096 bytes, to memory that is so far off a page
read_at()
{
	python3 - "$(dev a)" "$1" <<-END
		import mmap, os, sys
		fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
		at = int(sys.argv[2])
		memory = memoryview(mmap.mmap(-1, 8192))[at:at + 4096]
		assert os.preadv(fd, [memory], 0) == 4096
	END
}

new_conf r1 24
up r1
synced r1
number=$(dmsetup info -c --noheadings --separator : -o major,minor r1-a)
below=$(cat "/sys/dev/block/$number/queue/dma_alignment")
check_equal "a disk's alignment is the device's" \
	"$(cat "/sys/block/$(basename "$(dev a)")/queue/dma_alignment")" "$below"
check "an aligned read" read_at 0
[ "$below" -le 511 ] || check_refused "a read that the disk can't do" "invalid argument" \
	read_at 512
check "the disk is kept" in_step a r1
down r1
