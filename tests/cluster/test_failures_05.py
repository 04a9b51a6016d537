#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Three nodes, sync with votes: the Primary is cut off, another is elected, and then
`quorum off` is said to the old one.  A row of docs/failures.md.
"""

import time

import workload as w

OPTIONS = w.NET + " options { ack-policy sync; quorum majority; on-no-quorum suspend-io; }"


def test(tap, cluster):
    """a on one side; b, elected, and c on the other."""
    a, b, c = cluster.nodes
    w.create(cluster, extra=OPTIONS)
    a.must("blkrepl primary --force r0")
    w.settled(cluster.nodes)
    both = w.write(a, 0)

    cluster.partition([[0], [1, 2]])
    w.promote(b)
    elected = w.write(b, 16)
    a.wait_status(lambda s: s["suspended"])
    waiting = a.start(w.noise(32))
    time.sleep(2)
    tap.ok(not waiting.ended.is_set(), "the old Primary is suspended: its write waits")

    a.must("blkrepl resource-options --quorum off r0")
    rc, output = waiting.wait(60)
    tap.ok(rc == 0, "quorum off: it goes on alone, and what waited is written", output)
    alone = w.checksum(a, 32)

    cluster.heal()
    for node, other in ((a, "b"), (b, "a")):
        node.wait_status(w.split_from(other))
        tap.ok(True, f"{node.name} names the split brain with {other}: "
               + w.peer(node.status(), other)["last-error"])
    for node, place, want in ((a, 0, both), (a, 32, alone), (b, 0, both), (b, 16, elected)):
        got = w.checksum(node, place)
        tap.ok(got == want, f"{node.name} still has what was acknowledged there, at {place}",
               f"{want}{got}")

    a.must("blkrepl secondary r0")
    a.must("blkrepl resource-options --quorum majority r0")
    for name in ("b", "c"):
        a.must(f"blkrepl disconnect --force r0:{name} ; "
               f"blkrepl connect --discard-my-data r0:{name}")
    for node in (b, c):
        node.must("blkrepl connect r0:a")
    w.settled(cluster.nodes)
    got = w.checksum(b, 16)
    tap.ok(got == elected, "the administrator's word: a gives up its own, b stays as it is",
           f"{elected}{got}")
    b.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    w.run(test, nodes=3, disks=["40M"])
