#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Five nodes, quorum: two are lost, then a third; then the Primary and one more.  Rows
of docs/failures.md; SEED=N for what the disks forget.
"""

import time

import workload as w
from lib import connected

OPTIONS = w.NET + " options { ack-policy quorum; auto-promote yes; }"


def back(nodes):
    """They boot and join."""
    for node in nodes:
        node.power_on()
    for node in nodes:
        node.wait_ready()
    w.join(nodes)


def test(tap, cluster):
    """See above."""
    nodes = cluster.nodes
    w.create(cluster, extra=OPTIONS)
    first = nodes[0]
    first.must("blkrepl primary --force r0")
    w.settled(nodes)

    for node in nodes[3:]:
        node.power_cut()
    first.must(w.noise(1, 1, flush=False))
    tap.ok(True, "two are lost, and writes go on")

    nodes[2].power_cut()
    first.wait_status(lambda s: s["suspended"])
    job = first.start("exec " + w.noise(2, 1, flush=False))
    time.sleep(5)
    tap.ok(not job.ended.is_set(), "a third is lost, and writes wait")
    back([nodes[2]])
    rc, out = job.wait(120)
    tap.ok(rc == 0, "it is back, and they go on", out)
    back(nodes[3:])
    w.settled(nodes, 300)

    sums = {number: w.write(first, number, 1, flush=False) for number in range(3, 6)}
    for node in nodes[:2]:
        node.power_cut()
    heir = w.wait_primary(nodes[2:])
    lost = [number for number, want in sums.items() if w.checksum(heir, number, 1) != want]
    tap.ok(not lost, f"the Primary and one more are lost, {heir.name} is Primary by itself "
           "and has what was acknowledged", f"not there: {lost}")
    back(nodes[:2])
    for node in nodes:
        node.wait_status(connected, timeout=120)
    w.settled(nodes, 300)
    heir.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    SEED = w.seed_from_env()
    print(f"# SEED={SEED}", flush=True)
    w.run(test, nodes=5, disks=["32M"], lose="random", seed=SEED)
