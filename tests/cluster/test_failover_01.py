#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The Primary loses power, and another takes its place by itself: how long until
a write is acknowledged there, and is all there that was acknowledged before?

FAILOVERS=N (3) of them, with the time-outs that a resource has if it says nothing of
them.  The time is the host's, from the end of the machine's process until the output
of a program on another node says that its write is complete; that program looks ten
times a second whether it can write.  SEED=N for what the disks forget.
"""

import os
import statistics
import time

import workload as w
from lib import VmError

FAILOVERS = int(os.environ.get("FAILOVERS", "3"))
DEVICE = "/dev/blkrepl0"
STOP = "/run/stop-append"
OPTIONS = "options { ack-policy quorum; auto-promote yes; }"
LIMIT = 60


class Failover:
    """What goes from one to the next."""

    def __init__(self, tap, cluster):
        self.tap = tap
        self.cluster = cluster
        self.all_jobs = []
        self.job = {}           # node: the one that runs there
        self.times = []

    def load(self, node):
        """It goes on over all roles, until the machine dies."""
        self.job[node] = w.append(node, DEVICE, STOP)
        self.all_jobs.append(self.job[node])

    def wait_writer(self, among):
        """The node of these that is the next to have a write acknowledged."""
        seen = {node: self.job[node].printed for node in among}
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            for node in among:
                if b"acked" in self.job[node].output_after(seen[node]):
                    return node
            time.sleep(0.002)
        raise VmError(f"no write is acknowledged within {LIMIT} s on "
                      + ", ".join(node.name for node in among))

    def once(self, number):
        """One power cut, until the dead one is back and in step."""
        nodes = self.cluster.nodes
        dead = self.wait_writer(nodes)
        dead.power_cut()
        begin = time.monotonic()
        heir = self.wait_writer([n for n in nodes if n is not dead])
        took = time.monotonic() - begin
        self.times.append(took)
        self.tap.ok(True, f"{number}: {dead.name} lost power, {heir.name} had a write "
                    f"acknowledged {took * 1000:.0f} ms later")
        dead.boot()
        w.join([dead])
        self.load(dead)
        w.settled(nodes)
        time.sleep(1)

    def run(self):
        """All of it."""
        cluster = self.cluster
        w.create(cluster, extra=OPTIONS)
        cluster.nodes[0].must("blkrepl primary --force r0")
        w.settled(cluster.nodes)
        for node in cluster.nodes:
            self.load(node)
        for number in range(1, FAILOVERS + 1):
            self.once(number)
        w.together(cluster.nodes, f"touch {STOP}")
        for job in self.job.values():
            job.wait(60)
        self.tap.diag(f"{FAILOVERS} failovers: median {statistics.median(self.times):.3f} s, "
                      f"{min(self.times):.3f} to {max(self.times):.3f} s")
        last = w.primary(cluster)
        self.tap.ok(last is not None, "one node is Primary")
        if last:
            w.check_records(self.tap, last, self.all_jobs)
            last.must("blkrepl secondary r0")
        w.identical(self.tap, cluster)


if __name__ == "__main__":
    SEED = w.seed_from_env()
    print(f"# FAILOVERS={FAILOVERS} SEED={SEED}", flush=True)
    w.run(lambda tap, cluster: Failover(tap, cluster).run(),
          nodes=3, disks=["56M"], lose="random", seed=SEED)
