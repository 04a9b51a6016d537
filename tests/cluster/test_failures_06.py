#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Two nodes, async: the Primary loses power while the other one lacks something that was
acknowledged.  A row of docs/failures.md; SEED=N for what the disk forgets.
"""

import re
import time

import workload as w

STOP = "/run/stop-append"
SIZE = 512                      # of a record of append-load
BOUND = 64 << 10
OPTIONS = (w.NET.replace("timeout 5s", "timeout 20s")
           + " options { ack-policy async; backlog-max 64K; on-backlog hold-writes; }")


def follows(status):
    """For wait_status(): the only peer has all, and is waited for by nobody."""
    volume = status["connections"][0]["peer_devices"][0]
    return (volume["peer-disk-state"] == "Consistent"
            and volume["replication-state"] == "Established")


def records(node):
    """[(number, identity)] of all that is on the device, wherever it is."""
    out = node.must(f"head -c 8M {w.DEVICE} | grep -ao 'append-load [0-9]* [a-z]-[0-9a-f]*'")
    return [(int(number), ident) for number, ident in
            re.findall(r"^append-load (\d+) (\S+)$", out, re.M)]


def lag(cluster, first, job):
    """Nothing reaches the other one any more; how many records are acknowledged until
    it lacks all that it may."""
    cluster.switch.set(0, 1, both=False, delay=0.2)
    time.sleep(3)
    cluster.switch.set(0, 1, both=False, cut=True)
    first.wait_status(lambda s: s["connections"][0]["lag-bytes"] > BOUND)
    time.sleep(1)
    return w.acknowledged([job])[0]


def force(tap, first, second, job, acked):
    """What the second one is promoted with."""
    second.wait_status(w.misses(first.name))
    rc, out = second.run("blkrepl primary r0")
    tap.ok(rc == 10 and "newer data" in out, f"{first.name} has lost power: {second.name} "
           "is not promoted, and it is said why", f"{rc} {out}")
    out = second.run("blkrepl explain r0")[1]
    tap.ok(f"bring back {first.name}" in out, "explain says who has the newer data", out)
    second.must("blkrepl primary --force r0")
    there = records(second)
    begun = dict(re.findall(r"^begin (\d+) (\S+)$", job.output, re.M))
    odd = [(place, number, ident) for place, (number, ident) in enumerate(there)
           if place != number or begun.get(str(number)) != ident]
    tap.ok(there and not odd, f"with --force it is: the first {len(there)} records are there, "
           "none without all before it", f"{odd[:10]}")
    lost = len(acked) - len(there)
    tap.ok(0 < lost <= BOUND // SIZE, f"of {len(acked)} that were acknowledged {lost} are lost, "
           "no more than backlog-max allows", f"{BOUND // SIZE} allowed")
    w.write(second, 512)
    return w.checksum(second, 0, 256)


def test(tap, cluster):
    """See above."""
    first, second = cluster.nodes
    w.create(cluster, extra=OPTIONS)
    first.must("blkrepl primary --force r0")
    first.wait_status(follows)
    job = w.append(first, w.DEVICE, STOP)
    first.wait_until("blkrepl status --json --statistics r0 | "
                     "jq -e '.[0].devices[0].writes > 300'")
    acked = lag(cluster, first, job)
    first.power_cut()
    cluster.heal()
    want = force(tap, first, second, job, acked)

    first.boot()
    w.join([first])
    second.wait_status(follows)
    got = w.checksum(second, 0, 256)
    tap.ok(got == want, f"{first.name} is back, and follows: what was given up is not taken from it",
           f"{want}{got}")
    second.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    SEED = w.seed_from_env()
    print(f"# SEED={SEED}", flush=True)
    w.run(test, nodes=2, disks=["64M"], lose="random", seed=SEED)
