#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A resync sends what differs: 64 MiB of a volume of 1 GiB."""

import time

import workload as w

MIB = 1 << 20
DIRTY = 64
# Of MiB: headers, dirty maps, metadata of the connection
SPARE = 4

# 64 pieces of 1 MiB, spread over the volume
WRITE = ("fio --name=dirty --filename=/dev/blkrepl0 --rw=write --bs=256k --size=1008M "
         "--io_size=64M --zonemode=strided --zonesize=1M --zonerange=1M --zoneskip=15M "
         "--direct=1 --ioengine=libaio --iodepth=4 --refill_buffers --end_fsync=1 --minimal")


def test(tap, cluster):
    """Twice: what is sent, and that equal blocks are not sent at all."""
    a, b = cluster.nodes
    w.create(cluster)
    begin = time.monotonic()
    a.must("blkrepl primary --force r0")
    w.settled([a], timeout=300)
    sent = cluster.switch.carried(a.index, b.index)
    tap.ok(sent < 64 * MIB, f"initial sync of equal disks: {sent / MIB:.1f} MiB on the wire, "
           f"{time.monotonic() - begin:.1f} s")

    cluster.partition([[0], [1]])
    a.wait_status(w.misses("b"))
    a.must(WRITE, 240)
    out_of_sync = w.peer(a.status(), "b")["peer_devices"][0]["out-of-sync-bytes"]
    tap.ok(DIRTY * MIB <= out_of_sync <= (DIRTY + 1) * MIB,
           f"{out_of_sync / MIB:.2f} MiB are out of sync after writing {DIRTY} MiB")

    before = cluster.switch.carried(a.index, b.index)
    told = [w.peer(a.status(), "b")["sent-bytes"]]
    cluster.heal()
    a.wait_status(w.sees("b"))
    begin = time.monotonic()
    w.settled([a, b])
    seconds = time.monotonic() - begin
    told.append(w.peer(a.status(), "b")["sent-bytes"])
    sent = cluster.switch.carried(a.index, b.index) - before
    # the counter may begin anew with each connection
    count = told[1] - told[0] if told[1] >= told[0] else told[1]
    tap.ok(DIRTY * MIB <= count <= (DIRTY + SPARE) * MIB,
           f"the resync sent {count / MIB:.2f} MiB, says status", str(told))
    tap.ok(DIRTY * MIB <= sent <= (DIRTY + SPARE) * MIB,
           f"{sent / MIB:.2f} MiB, says the switch; {seconds:.1f} s, "
           f"{DIRTY / seconds:.1f} MiB/s")
    a.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    # Another 8 MiB for metadata: the volume has at least 1 GiB.
    w.run(test, nodes=2, disks=["1032M"])
