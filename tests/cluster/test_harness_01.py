#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The library itself: machines, links, commands, and what a power cut loses."""

import sys

from lib import Cluster, Tap

READ = "dd if=/dev/vda bs=4k count=1 skip={} iflag=direct status=none | head -c 5"
WRITE = "printf %-4096s {} | dd of=/dev/vda bs=4k seek={} oflag=direct conv=notrunc,nocreat {} status=none"


def reach(one, other):
    """Whether a ping comes back."""
    return one.run(f"ping -qc 1 -W 2 {other.name}")[0] == 0


def main():
    """A few checks of each."""
    tap = Tap()
    kernel = sys.argv[1] if len(sys.argv) > 1 else "6.1"
    with Cluster(kernel, nodes=3, disks=["64M"], lose="all") as cluster:
        a, b, c = cluster.nodes
        cluster.boot()
        tap.ok(reach(a, b) and reach(b, c), "nodes reach each other")
        cluster.partition([[0], [1, 2]])
        tap.ok(not reach(a, b), "a partition separates")
        tap.ok(reach(b, c), "and does not inside a group")
        cluster.heal()
        tap.ok(reach(a, b), "it heals")
        a.must(WRITE.format("flush", 0, "conv=fsync"))
        a.must(WRITE.format("cache", 1, ""))
        job = a.start("sleep 1000")
        a.power_cut()
        rc, _ = job.wait()
        tap.ok(rc is None, "a power cut ends commands")
        a.boot()
        tap.ok(a.must(READ.format(0)) == "flush", "what was flushed is there")
        tap.ok(a.must(READ.format(1)) != "cache", "what was not is lost")
        rc, out = a.run("echo text; exit 7")
        tap.ok((rc, out) == (7, "text\n"), "status and output arrive", f"{rc} {out}")
    tap.done(cluster)


if __name__ == "__main__":
    main()
