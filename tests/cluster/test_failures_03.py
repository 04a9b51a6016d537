#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Two nodes, sync: both lose power at once, under load.  A row of docs/failures.md;
SEED=N for what the disks forget.
"""

import workload as w
from lib import connected


def test(tap, cluster):
    """See above."""
    first, second = cluster.nodes
    w.create(cluster)
    first.must("blkrepl primary --force r0")
    w.settled(cluster.nodes)
    want = w.write(first, 512)
    # Writes that nobody flushes, below and above, until the end.
    first.start(f"exec fio --name=load --filename={w.DEVICE} --direct=1 --ioengine=libaio "
                "--rw=randwrite --bs=4k --iodepth=16 --size=16M --time_based --runtime=600")
    first.wait_until("blkrepl status --json --statistics r0 | "
                     "jq -e '.[0].devices[0].writes > 500'")
    for node in cluster.nodes:
        node.power_cut()

    second.boot()
    w.join([second])
    rc, out = second.run("blkrepl primary r0")
    tap.ok(rc != 0 and "another node may have newer data" in out,
           f"both lost power: {second.name} alone does not take its data for the newest", out)
    out = second.run("blkrepl explain r0")[1]
    tap.ok(f"do: bring back {first.name}" in out, f"explain says that {first.name} has to come back",
           out)

    first.boot()
    w.join([first])
    for node in cluster.nodes:
        node.wait_status(connected)
    w.promote(second)
    w.settled(cluster.nodes)
    got = w.checksum(second, 512)
    tap.ok(got == want, "with both there it is promoted, and what was flushed is there",
           f"{want}{got}")
    second.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    SEED = w.seed_from_env()
    print(f"# SEED={SEED}", flush=True)
    w.run(test, nodes=2, disks=["64M"], lose="random", seed=SEED)
