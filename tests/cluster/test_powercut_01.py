#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The primary loses power under load, again and again: no acknowledged write
is lost, and in the end all replicas are the same, bit by bit.

CUTS=N (3) power cuts, SEED=N for their moments and what the disks forget.

Volume 0 has ext4 with a database: SQLite's commits are told when it says they
are durable.  Volume 1 is written by fio: runs are told when they are complete.
After each cut one survivor becomes Primary, is checked, and takes over both
loads; the dead node comes back and is resynced meanwhile.  Some cuts come
before that resync has ended, some while the node is still booting.
"""

import os
import random
import time

import workload as w
from lib import VmError, connected, in_step

CUTS = int(os.environ.get("CUTS", "3"))
DATABASE, RAW = "/dev/blkrepl0", "/dev/blkrepl1"


class Test:
    """What goes from one cut to the next."""

    # pylint: disable=too-many-instance-attributes
    def __init__(self, tap, cluster, seed):
        self.tap = tap
        self.cluster = cluster
        self.lot = random.Random(seed)
        self.sqlite = w.Sqlite()
        self.fio = w.Fio(RAW, 8)
        self.primary = cluster.nodes[0]
        self.joined = list(cluster.nodes)
        self.commits = 0
        self.failover = []

    def load(self):
        """Both loads, on the primary."""
        self.sqlite.start(self.primary, self.lot.choice(["wal", "delete"]))
        self.fio.start(self.primary)

    def work(self, seconds):
        """Let the loads do something that can be lost."""
        end = time.monotonic() + 120
        time.sleep(seconds)
        while self.sqlite.commits() < 5 or self.fio.done() < 1:
            for job in (self.sqlite.job, self.fio.job):
                if job.ended.is_set():
                    raise VmError(f"a load ended, {job.rc}: {job.output[-2000:]}")
            if time.monotonic() > end:
                raise VmError("the loads get nowhere on "
                              f"{self.primary.name}: {self.sqlite.job.output[-300:]} "
                              f"{self.fio.job.output[-300:]}")
            time.sleep(0.1)

    def take_over(self, dead):
        """A survivor that has good data becomes Primary; the check there."""
        for node in self.joined:
            node.wait_status(w.misses(dead.name))
        fit = [n for n in self.joined if w.good(n.status())]
        if not fit:
            raise VmError("no survivor is UpToDate")
        self.primary = self.lot.choice(fit)
        self.failover.append(w.promote(self.primary))
        self.primary.must(f"mount {DATABASE} {w.MOUNT}")
        good, text = self.sqlite.check(self.primary)
        fine, more = self.fio.check(self.primary)
        return good and fine, f"{text}\n{more}"

    def come_back(self):
        """All that are out boot to the end, and connect."""
        out = [n for n in self.cluster.nodes if n not in self.joined]
        for node in out:
            node.wait_ready()
        w.join(out)
        for node in out:
            node.wait_status(w.sees(self.primary.name))
        self.joined = list(self.cluster.nodes)

    def cut(self, number):
        """One power cut, with all that follows from it."""
        dead = self.primary
        if len(self.joined) == 3 and (number == 1 or self.lot.random() < 0.7):
            dead.wait_status(lambda s: connected(s) and in_step(s), timeout=240)
        self.work(self.lot.uniform(0.2, 4))
        # Somebody has to be able to take over.
        state = w.sync_states(dead.wait_status(w.has_heir, timeout=240))
        dead.power_cut()
        self.joined.remove(dead)
        dead.power_on()
        self.commits += self.sqlite.commits()
        self.fio.ended()
        good, text = self.take_over(dead)
        self.tap.ok(good, f"cut {number}: {dead.name} ({state}), {self.primary.name} has "
                    f"all {self.sqlite.last} commits and {len(self.fio.content)} regions", text)
        if number < CUTS:
            self.load()
        if number == CUTS or len(self.joined) == 1 or self.lot.random() < 0.5:
            self.come_back()

    def run(self):
        """All of it."""
        cluster = self.cluster
        w.create(cluster, 2)
        self.primary.must("blkrepl primary --force r0")
        self.primary.must(f"mkfs.ext4 -q {DATABASE} && mount {DATABASE} {w.MOUNT}", 120)
        self.load()
        for number in range(1, CUTS + 1):
            self.cut(number)
        w.settled(cluster.nodes)
        self.tap.ok(True, f"{CUTS} cuts, {self.commits} commits and {self.fio.runs} runs of "
                    f"fio seen, failover in {min(self.failover):.1f} to "
                    f"{max(self.failover):.1f} s after the loss was noticed")
        good, text = self.sqlite.check(self.primary)
        fine, more = self.fio.check(self.primary)
        self.tap.ok(good and fine, "everything is there after the last resync",
                    f"{text}\n{more}")
        rc, out = self.primary.run(f"umount {w.MOUNT} && e2fsck -fn {DATABASE}", 120)
        self.tap.ok(rc == 0, "the file system is clean", out)
        w.identical(self.tap, cluster)


def main():
    """The seed decides when, who, and what the disks forget."""
    seed = w.seed_from_env()
    print(f"# CUTS={CUTS} SEED={seed}", flush=True)
    w.run(lambda tap, cluster: Test(tap, cluster, seed).run(),
          nodes=3, disks=["56M", "24M"], lose="random", seed=seed)


if __name__ == "__main__":
    main()
