#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 16 TiB: metadata is made and read at once, and maps take little memory.
. "$(dirname "$0")/lib.sh"

# quick SECONDS DESCRIPTION COMMAND...
quick()
{
	local limit=$(($1 * slowness)) what=$2 begin=$SECONDS

	shift 2
	check "$what" "$@"
	check "... in $((SECONDS - begin)) s" [ $((SECONDS - begin)) -le "$limit" ]
}

memory()
{
	query a r0 '.devices[0]."dirty-map-memory-bytes"'
}

# No slab or page of the kernel's is hidden from this.
kernel_memory()
{
	awk '/^(SUnreclaim|VmallocUsed|Percpu)/ { n += $2 } END { print n * 1024 }' \
		/proc/meminfo
}

setup_nodes a b
before=$(kernel_memory)
new_conf r0 $((16 << 20))
quick 10 "create-md" repl a create-md --force r0
must repl b create-md --force r0
quick 30 "up" repl a up r0
must repl b up r0
must busywait 30 connected a r0
quick 10 "no initial sync" repl a new-data-set r0
must repl a primary r0
check "it has 16 TiB" [ "$(bytes r0)" -gt $(((16 << 40) - (8 << 30))) ]
used=$(memory)
check "maps take $used bytes" [ "$used" -lt $((4 << 20)) ]

must repl a disconnect r0
check "writes all over it, with the peer away" fio --name=far \
	--filename="$(dev a)" --rw=randwrite --direct=1 --bs=4k --size=15T \
	--number_ios=600 --norandommap --randrepeat=1 --ioengine=libaio \
	--iodepth=8 --minimal
used=$(memory)
check "600 dirty extents take $used bytes" [ "$used" -lt $((8 << 20)) ]
check "and some" [ "$used" -gt $((16 << 10)) ]
used=$(($(kernel_memory) - before))
check "the kernel took $used bytes" [ "$used" -lt $((48 << 20)) ]
must repl a secondary r0
quick 30 "detach" repl a detach --force r0
quick 30 "attach with a dirty map" repl a attach r0
must repl a connect r0
check_soon "in step" 60 in_step a r0
used=$(query a r0 '.connections[0]."sent-bytes"')
check "600 blocks were sent, not more: $used bytes" \
	[ "$used" -ge $((600 * 4096)) -a "$used" -lt $((1200 * 4096)) ]
down r0
