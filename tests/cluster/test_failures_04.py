#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Three nodes, sync with votes: a secondary is lost, and then the Primary, for good; and
all lose power at once.  Rows of docs/failures.md; SEED=N for what the disks forget.
"""

import workload as w
from lib import connected

OPTIONS = w.NET + " options { ack-policy sync; quorum majority; }"


def one_after_the_other(tap, cluster):
    """The last member of the set needs a vote, and the one left out can give it."""
    first, second, third = cluster.nodes
    third.power_cut()
    first.wait_status(w.misses(third.name))
    want = w.write(first, 0)
    tap.ok(True, f"{third.name} is lost: {first.name} and {second.name} go on")
    first.power_cut()
    second.wait_status(w.misses(first.name))
    rc, out = second.run("blkrepl primary r0")
    tap.ok(rc != 0, f"{first.name} is lost, too: {second.name} is no majority", out)

    third.boot()
    w.join([third])
    third.wait_status(w.sees(second.name))
    rc, out = third.run("blkrepl primary r0")
    tap.ok(rc != 0, f"{third.name} is back: it lacks what was written, and is not elected", out)
    w.promote(second)
    got = w.checksum(second, 0)
    tap.ok(got == want, f"{second.name} is, with its vote, and has all", f"{want}{got}")
    w.write(second, 16)
    tap.ok(True, "and writes")

    first.boot()
    w.join([first])
    w.settled(cluster.nodes)
    return second


def lose_power(tap, cluster, old):
    """What was flushed is there after all have crashed."""
    want = w.write(old, 32)
    for node in cluster.nodes:
        node.power_cut()
    some = [node for node in cluster.nodes if node is not old]
    for node in some:
        node.boot()
    w.join(some)
    some[0].wait_status(w.sees(some[1].name))
    for node in some:
        rc, out = node.run("blkrepl primary r0")
        tap.ok(rc != 0, f"all lost power: without {old.name} {node.name} is not elected", out)
    old.boot()
    w.join([old])
    for node in cluster.nodes:
        node.wait_status(connected)
    w.promote(some[0])
    got = w.checksum(some[0], 32)
    tap.ok(got == want, "once all are there one is, and what was flushed is there", f"{want}{got}")
    w.settled(cluster.nodes)
    some[0].must("blkrepl secondary r0")


def test(tap, cluster):
    """See above."""
    w.create(cluster, extra=OPTIONS)
    cluster.nodes[0].must("blkrepl primary --force r0")
    w.settled(cluster.nodes)
    heir = one_after_the_other(tap, cluster)
    lose_power(tap, cluster, heir)
    w.identical(tap, cluster)


if __name__ == "__main__":
    SEED = w.seed_from_env()
    print(f"# SEED={SEED}", flush=True)
    w.run(test, nodes=3, disks=["64M"], lose="random", seed=SEED)
