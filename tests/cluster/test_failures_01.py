#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Three nodes, quorum: the Primary's machine stands still and goes on, and all of them
lose power at once.  Rows of docs/failures.md; SEED=N for what the disks forget.
"""

import time

import workload as w
from lib import connected

STOP = "/run/stop-append"
OPTIONS = w.NET + " options { ack-policy quorum; auto-promote yes; }"


def stand_still(tap, cluster):
    """One that is replaced while its machine is frozen notices when that goes on."""
    jobs = [w.append(node, w.DEVICE, STOP) for node in cluster.nodes]
    time.sleep(5)
    old = w.wait_primary(cluster.nodes)
    others = [node for node in cluster.nodes if node is not old]
    old.pause()
    new = w.wait_primary(others)
    seen = len(w.acknowledged(jobs)[0])
    time.sleep(5)
    tap.ok(len(w.acknowledged(jobs)[0]) > seen,
           f"{old.name} stands still, and {new.name} goes on in its place")
    old.resume()
    old.wait_status(lambda s: s["role"] == "Secondary")
    tap.ok(True, f"{old.name} goes on, and steps down")
    w.settled(cluster.nodes)
    w.together(cluster.nodes, f"touch {STOP}")
    for job in jobs:
        job.wait(60)
    w.check_records(tap, w.primary(cluster), jobs)


def lose_power(tap, cluster):
    """What was flushed is there after all have crashed."""
    old = w.primary(cluster)
    want = w.write(old, 512)
    for node in cluster.nodes:
        node.power_cut()
    cluster.boot()
    w.join(cluster.nodes)
    for node in cluster.nodes:
        node.wait_status(connected)
    new = w.wait_primary(cluster.nodes)
    got = w.checksum(new, 512)
    tap.ok(got == want, f"all lost power; {new.name} is Primary by itself, and what was flushed is there",
           f"{want}{got}")
    w.settled(cluster.nodes)
    new.must("blkrepl secondary r0")


def test(tap, cluster):
    """See above."""
    w.create(cluster, extra=OPTIONS)
    cluster.nodes[0].must("blkrepl primary --force r0")
    w.settled(cluster.nodes)
    stand_still(tap, cluster)
    lose_power(tap, cluster)
    w.identical(tap, cluster)


if __name__ == "__main__":
    SEED = w.seed_from_env()
    print(f"# SEED={SEED}", flush=True)
    w.run(test, nodes=3, disks=["64M"], lose="random", seed=SEED)
