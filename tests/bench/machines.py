# SPDX-License-Identifier: GPL-2.0-only
"""Benchmarks with a machine for each node, on the host's clock.

What one CPU for all nodes can't show: what is left to the others when one of them is
slow.  The disks are ramdisks, so that nothing but the nodes' own work takes time.  As
three machines share the CPUs of the host, the one that is slow gets what the others
leave: it would have its own.
"""

import json
import os
import sys

from qemu import TOP

sys.path.insert(0, os.path.join(TOP, "tests", "cluster"))
# pylint: disable=wrong-import-position
from lib import Cluster, connected, in_step  # noqa: E402

DISK = "/dev/mapper/data"
DISK_KIB = 64 << 10
DELAY = 0.05                    # seconds, each way
# More than a replica may lack at depth 32, so that it falls behind.
SECONDS = 6
LOADS = {"slow-machines-4k-d1": 1, "slow-machines-4k-d32": 32}

FIO = ("fio --name=x --filename=/dev/blkrepl0 --rw=randwrite --bs=4k --ioengine=libaio "
       "--direct=1 --thread --norandommap --randrepeat=0 --time_based "
       "--clocksource=clock_gettime --clat_percentiles=0 --lat_percentiles=1 "
       "--percentile_list=50:99:99.9 --output-format=json")


def yield_cpu(pid):
    """All threads of a machine run when the others' have nothing to do."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.setpriority(os.PRIO_PROCESS, int(thread), 19)


class SlowPeer:
    """Three nodes; with the last one something is wrong, while a load is on."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.first, self.last = cluster.nodes[0], cluster.nodes[-1]

    def conf(self, policy):
        """The same nodes, with another ack policy."""
        self.cluster.new_conf(disk=DISK, extra=f"options {{ ack-policy {policy}; }}")

    def create(self):
        """All in step, the first one Primary."""
        self.conf("quorum")
        self.cluster.boot()
        for node in self.cluster.nodes:
            node.load_module()
            node.must(f"modprobe brd rd_nr=1 rd_size={DISK_KIB} && modprobe dm-mod && "
                      "dd if=/dev/zero of=/dev/ram0 bs=1M status=none; "
                      "dmsetup create --noudevsync data --table "
                      f"'0 {2 * DISK_KIB} linear /dev/ram0 0' && dmsetup mknodes && "
                      "blkrepl create-md --force r0 && blkrepl up r0")
        for node in self.cluster.nodes:
            node.wait_status(connected)
        self.first.must("blkrepl new-data-set r0")
        self.first.wait_status(in_step)
        self.first.must("blkrepl primary r0")
        yield_cpu(self.last.qemu.proc.pid)

    def delay(self, seconds):
        """How long packets to the last one take, and from it."""
        for node in self.cluster.nodes[:-1]:
            self.cluster.switch.set(node.index, self.last.index, delay=seconds)

    def policy(self, name):
        """Change it on all nodes: to quorum the Primary comes last, away from it first."""
        self.conf(name)
        nodes = self.cluster.nodes
        for node in reversed(nodes) if name == "quorum" else nodes:
            node.must("blkrepl adjust r0")

    def worsen(self, contender):
        """From now on something is wrong with the last node."""
        if contender == "sync-far":
            self.policy("sync")
        if contender == "quorum-away":
            self.last.must("blkrepl down r0")
        elif contender == "quorum-stall":
            self.last.must("dmsetup suspend --noflush --nolockfs data")
        elif contender != "quorum":
            self.delay(DELAY)

    def recover(self, contender):
        """Nothing is, and all are in step."""
        self.delay(0)
        if contender == "quorum-away":
            self.last.must("blkrepl up r0")
        elif contender == "quorum-stall":
            self.last.must("dmsetup resume --noudevsync data")
        self.first.wait_status(lambda s: connected(s) and in_step(s), timeout=120)
        if contender == "sync-far":
            self.policy("quorum")

    def load(self, depth, seed, seconds=SECONDS):
        """fio's own account of it."""
        return json.loads(self.first.must(
            f"{FIO} --iodepth={depth} --runtime={seconds} --randseed={seed}",
            timeout=seconds + 120))["jobs"][0]


def slow_peer(kernel, contenders, rounds):
    """{load: {contender: {round: fio's job}}}, contenders in turn."""
    out = {}
    with Cluster(kernel, disks=[], name="bench-machines") as cluster:
        bench = SlowPeer(cluster)
        bench.create()
        bench.load(32, 0, 2)    # binaries and caches are warm
        for load, depth in LOADS.items():
            for number in range(1, rounds + 1):
                for contender in contenders:
                    bench.worsen(contender)
                    job = bench.load(depth, number)
                    bench.recover(contender)
                    out.setdefault(load, {}).setdefault(contender, {})[number] = job
    return out
