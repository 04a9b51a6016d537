#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connections are lost and come back while an application writes: it notices
nothing but a pause."""

import time

import workload as w


def test(tap, cluster):
    """Each secondary, then both at once: then the primary is alone."""
    a, b, c = cluster.nodes
    w.create(cluster)
    a.must("blkrepl primary --force r0")
    w.settled([a])
    fio = w.Fio("/dev/blkrepl0", 16)
    fio.start(a)
    for lost, groups in (([b], [[1], [0, 2]]), ([c], [[2], [0, 1]]), ([b, c], [[0], [1, 2]])):
        cluster.partition(groups)
        for node in lost:
            a.wait_status(w.misses(node.name))
        names = " and ".join(node.name for node in lost)
        done, end = fio.done(), time.monotonic() + 60
        while fio.done() < done + 2 and not fio.job.ended.is_set() and time.monotonic() < end:
            time.sleep(0.2)
        tap.ok(fio.done() >= done + 2, f"writing goes on without {names}", fio.job.output[-500:])
        if len(lost) == 2:
            seen = w.peer(b.status(), "c")["connection-state"]
            tap.ok(seen == "Connected", "the other two stay connected to each other", seen)
        cluster.heal()
        w.settled([a])
        tap.ok(True, f"{names} in step again, while writing")
    good, text = fio.stop(a)
    tap.ok(good, "no write failed", text)
    w.settled(cluster.nodes)

    # Links that lose, delay and stall don't make data differ either.
    fio.start(a)
    cluster.switch.set(0, 1, loss=0.02)
    cluster.switch.set(0, 2, delay=0.02)
    time.sleep(5)
    cluster.heal()
    good, text = fio.stop(a)
    tap.ok(good, "no write failed over bad links", text)
    w.settled(cluster.nodes)

    a.must("blkrepl secondary r0")
    w.promote(c)
    good, text = fio.check(c)
    tap.ok(good, "the last one that was cut off, Primary now, has all of it", text)
    c.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    w.run(test, nodes=3, disks=["40M"])
