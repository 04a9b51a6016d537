#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad networks: cut, unplugged, half cut, slow, losing and spoiling packets.
# Writes get through, and it reconnects by itself.
. "$(dirname "$0")/lib.sh"

state='.connections[0]."connection-state"'

apart()
{
	is a r0 "$state" Connecting
}

# lose VERDICT PORT: b gets nothing that comes from there
lose()
{
	local verdict=$1 port=$2

	must on b nft -f - <<-END
		table inet lost {
			chain in { type filter hook input priority 0;
				tcp sport $port counter $verdict; }
		}
	END
}

# gone NODE: no connection that has been given up is left to wait for answers
gone()
{
	! on "$1" ss -tanH | grep -E '^(FIN-WAIT-1|CLOSING|LAST-ACK)'
}

# lost: has anything been kept away? The network is good again.
lost()
{
	local list

	list=$(on b nft list table inet lost)
	must on b nft delete table inet lost
	grep -q 'packets [1-9]' <<<"$list" || {
		echo "$list"
		return 1
	}
}

setup_nodes a b
new_conf r0 24
up r0
synced r0
for node in a b; do
	must repl $node net-options --timeout 2s --ping-int 500ms \
		--connect-int 500ms r0
done

# Nobody is told of a cut: the time-out finds out, also in the middle of writes.
cut a b
check "a write gets through without the peer" scribble "$(dev a)" 64
check_soon "the peer is lost" 15 apart
check_soon "nothing is left of its connection" 5 gone a
check_soon "nor on its side" 15 gone b
check_soon "status says why the last attempt failed" 15 \
	is a r0 '.connections[0]."last-error" | length > 0' true
heal a b
check_soon "it reconnects" 20 in_step a r0

must ip -n a link set eth0 down
check "another with the cable out" scribble "$(dev a)" 64 128
check_soon "the peer is lost" 15 apart
must ip -n a link set eth0 up
check_soon "it reconnects" 20 in_step a r0

# An idle connection is watched as well, and a cut without writes costs nothing.
before=$(query a r0 '.connections[0]."sent-bytes"')
cut a b
check_soon "b misses a" 15 is b r0 "$state" Connecting
heal a b
check_soon "in step" 20 in_step a r0
check "nothing was to be copied" \
	[ "$(query a r0 '.connections[0]."sent-bytes"')" -lt $((before + 65536)) ]

# One of the two streams only: dead, or reset
at=256
for stream in 1 2; do
	for verdict in drop "reject with tcp reset"; do
		lose "$verdict" "$(streams b | sed -n "${stream}s/.*://p")"
		check "written, stream $stream: $verdict" \
			timeout $((50 * slowness)) dd if=/dev/urandom of="$(dev a)" bs=64k \
			count=1 seek=$((at / 64)) oflag=direct status=none
		check "it was cut" lost
		check_soon "in step again" 20 in_step a r0
		at=$((at + 64))
	done
done

slow a delay 10ms 5ms loss 2% corrupt 1%
slow b delay 10ms reorder 20% duplicate 1%
check "bad lines make it slow, not wrong" fio --name=bad --filename="$(dev a)" \
	--rw=randwrite --direct=1 --bsrange=512-32k --ioengine=libaio --iodepth=16 \
	--size=16M --io_size=2M --verify=crc32c --minimal
must on a tc qdisc del dev eth0 root
must on b tc qdisc del dev eth0 root
check_soon "in step" 30 in_step a r0

# Who disconnects is not waited for.
must repl a net-options --timeout 60s --ping-int 20s r0
must repl b net-options --timeout 60s --ping-int 20s r0
must repl b disconnect r0
check_soon "the peer hears of a disconnect" 3 apart
must repl b connect r0
check_soon "in step" 20 in_step a r0
check_soon "all old connections are gone" 5 gone a
check_soon "on both sides" 5 gone b

size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
