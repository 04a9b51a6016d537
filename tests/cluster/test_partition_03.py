#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Partitions of random shape, PARTITIONS=N of them (4), in a cluster that elects
its Primary by itself: whatever is acknowledged is there in the end, so there never
were two Primaries whose writes were acknowledged.  SEED=N for their shapes.

On every node a program writes numbered records whenever it can, and fio verifies
what it writes beside them.
"""

import os
import random
import time

import workload as w

PARTITIONS = int(os.environ.get("PARTITIONS", "4"))
DEVICE = "/dev/blkrepl0"
STOP = "/run/stop-append"
OPTIONS = w.NET + " options { ack-policy quorum; auto-promote yes; }"

# Where the node is Primary; a read that differs from what was written ends it.
VERIFY = f"""
n=0
until [ -e {STOP} ]; do
	if [ "$(blkrepl role r0)" = Primary ]; then
		n=$((n + 1))
		fio --name=v --filename={DEVICE} --offset=64M --size=4M --bs=4k \\
			--rw=randwrite --direct=1 --ioengine=libaio --iodepth=8 --thread \\
			--verify=crc32c --verify_fatal=1 --randseed=$n --minimal \\
			>/run/fio-out 2>&1 && echo verified
		! grep -iE "verify.*(bad|fail)|bad magic" /run/fio-out || exit 1
	fi
	sleep 0.5
done
"""


def shape(cluster, lot):
    """Cut the network somehow: into groups, or single directions."""
    count = len(cluster.nodes)
    if lot.random() < 0.6:
        groups = {}
        for index in range(count):
            groups.setdefault(lot.randrange(count), []).append(index)
        cluster.partition(list(groups.values()))
        return "groups " + " ".join(str(g) for g in groups.values())
    cut = [(one, other) for one in range(count) for other in range(count)
           if one != other and lot.random() < 0.4]
    for one, other in cut:
        cluster.switch.set(one, other, both=False, cut=True)
    return "cut " + " ".join(f"{one}>{other}" for one, other in cut)


def test(tap, cluster):
    """See above."""
    seed = w.seed_from_env()
    lot = random.Random(seed)
    print(f"# PARTITIONS={PARTITIONS} SEED={seed}", flush=True)
    w.create(cluster, extra=OPTIONS)
    cluster.nodes[0].must("blkrepl primary --force r0")
    w.settled(cluster.nodes)
    jobs = [w.append(node, DEVICE, STOP) for node in cluster.nodes]
    checks = [node.start(VERIFY) for node in cluster.nodes]
    for number in range(1, PARTITIONS + 1):
        what = shape(cluster, lot)
        time.sleep(lot.uniform(1, 10))
        cluster.heal()
        time.sleep(lot.choice([0, lot.uniform(1, 10)]))
        tap.diag(f"{number}: {what}, {len(w.acknowledged(jobs)[0])} records")
    w.settled(cluster.nodes, 300)
    time.sleep(5)
    w.together(cluster.nodes, f"touch {STOP}")
    for job in jobs:
        job.wait(120)
    verified = 0
    for job in checks:
        rc, out = job.wait(240)
        verified += out.count("verified")
        tap.ok(rc == 0, f"fio on {job.node.name} never read anything else than it wrote", out)
    tap.ok(verified > 0, f"fio verified {verified} times")
    w.settled(cluster.nodes)
    last = w.primary(cluster)
    tap.ok(last is not None, "one node is Primary")
    if last:
        found = w.check_records(tap, last, jobs)
        tap.ok(found > 10 * PARTITIONS, "some were written")
        last.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    w.run(test, nodes=3, disks=["128M"])
