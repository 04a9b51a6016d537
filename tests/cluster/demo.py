#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Three nodes, a file system, a power cut, a survivor, a return - in a screen.

Nothing here is played back: every line of status comes from the command, every
number is measured.  Checksums are kept outside of the machines that lose power.
"""

import glob
import os
import re
import subprocess
import sys
import time

import workload as w
from lib import BUILD, TOP, Cluster, VmError, connected, in_step

SIZE = "128M"
# Old data on the first disk, so that the initial sync has something to send.
USED = 80 << 20
MIB = 1 << 20
DEVICE = "/dev/blkrepl0"
FILES_BEFORE_CUT = 1000
SECONDS_BEFORE_CUT = 40


class Failed(Exception):
    """The demo shows something else than it should."""


class Demo:
    """Steps, in order; facts are collected for the end."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.begin = time.monotonic()
        self.facts = []
        self.archive = os.path.join(BUILD, "vm", "demo.tar")
        self.manifest = os.path.join(cluster.nodes[1].share, "manifest")

    # --- output -----------------------------------------------------------

    def now(self):
        """Seconds since the first boot."""
        return time.monotonic() - self.begin

    def head(self, text):
        """A step begins."""
        print(f"\n[{self.now():5.0f} s]  {text}", flush=True)

    @staticmethod
    def show(text):
        """What a machine says."""
        for line in text.rstrip().splitlines():
            print("           | " + line, flush=True)

    @staticmethod
    def say(text):
        """What we say."""
        print("           " + text, flush=True)

    def command(self, node, text, timeout=60):
        """Run it and show it as one would have typed it."""
        print(f"           {node.name}# {text}", flush=True)
        out = node.must(text, timeout)
        self.show(out)
        return out

    def progress(self, node, samples):
        """Status now and then until all are in step; seconds, peak rate."""
        begin = time.monotonic()
        shown, pause = 0, 1.0
        while True:
            status = node.status()
            if connected(status) and in_step(status):
                return time.monotonic() - begin
            if time.monotonic() - begin > 150:
                self.show(node.must("blkrepl status r0"))
                raise Failed("the resync does not end")
            text = node.must("blkrepl status r0")
            if shown < samples and "%" in text:
                self.show(text)
                self.say("")
                shown += 1
                time.sleep(pause)
                pause *= 2
            time.sleep(0.3)

    # --- steps ------------------------------------------------------------

    def prepare(self):
        """Real files: the headers of the kernel that is tested."""
        src = glob.glob(os.path.join(self.cluster.kernel.dir, "root/usr/src/*-common"))
        if not src:
            raise Failed(f"no headers in {self.cluster.kernel.dir}: remove it, they come "
                         "with the kernel")
        subprocess.run(["tar", "cf", self.archive, "-C", src[0], "include", "arch/x86"],
                       check=True)
        with open(self.cluster.nodes[0].disk_file(), "r+b") as disk:
            for _ in range(USED // MIB):
                disk.write(os.urandom(MIB))

    def boot(self):
        """Machines, resource."""
        self.head("Three machines boot: a, b, c. Stock Debian kernel "
                  f"{self.cluster.kernel.name}, a disk of {SIZE} each, with a volatile cache.")
        w.resource(self.cluster, extra="")
        self.cluster.boot()
        for node in self.cluster.nodes:
            node.load_module()
        self.facts.append(f"three machines booted in {self.now():.0f} s")
        self.head("They make the resource r0 and connect. On each of them:")
        self.say("# blkrepl create-md r0 && blkrepl up r0")
        w.together(self.cluster.nodes, "blkrepl create-md r0 && blkrepl up r0")
        for node in self.cluster.nodes:
            node.wait_status(connected)

    def initial_sync(self):
        """From a, whose data is to become everybody's."""
        a = self.cluster.nodes[0]
        self.head("The data of a becomes everybody's: the initial sync.")
        self.command(a, "blkrepl primary --force r0")
        seconds = self.progress(a, 3)
        self.command(a, "blkrepl status r0")
        size = w.sizes(a)[0]
        self.facts.append(f"initial sync of {size / MIB:.0f} MiB to two peers in {seconds:.0f} s")

    def unpack(self):
        """Files, until the power goes."""
        a = self.cluster.nodes[0]
        self.head("A file system on it, and a tree of files: the kernel's headers.")
        self.command(a, f"mkfs.ext4 -q {DEVICE} && mount {DEVICE} {w.MOUNT}")
        job = a.start(f"exec {w.TOOLS}/unpack-load {self.archive} {w.MOUNT}/tree")
        self.say("Every file is fsynced; then its SHA-256 is written down outside of a.")
        end = time.monotonic() + SECONDS_BEFORE_CUT
        count, told = 0, 1
        while count < FILES_BEFORE_CUT and (time.monotonic() < end or count < 100):
            time.sleep(0.2)
            count = job.output.count("\n")
            if job.ended.is_set() or time.monotonic() > end + 60:
                raise Failed(f"unpacking ended early: {job.rc} {job.output[-500:]}")
            if count >= told:
                self.say(f"{count:5d} files durable")
                told = count + FILES_BEFORE_CUT // 4
        # In the middle of a batch
        time.sleep(0.3)
        a.power_cut()
        cut = time.monotonic()
        durable = [l for l in job.output.splitlines(True) if re.match(r"[0-9a-f]{64}  .*\n", l)]
        with open(self.manifest, "w", encoding="utf-8") as out:
            out.writelines(durable)
        self.head(f"POWER CUT of a, in the middle of it, with {len(durable)} files durable. "
                  "What its disk had not flushed is lost.")
        return cut, len(durable)

    def fail_over(self, cut, durable):
        """b carries on."""
        b = self.cluster.nodes[1]
        b.wait_status(w.misses("a"))
        w.promote(b)
        took = time.monotonic() - cut
        self.command(b, f"mount {DEVICE} {w.MOUNT}")
        self.say(f"b is Primary {took:.1f} s after the cut, by: blkrepl primary r0")
        self.command(b, "blkrepl status r0")
        self.facts.append(f"power cut of a while it unpacked files; b was Primary {took:.1f} s "
                          "later (the connection's time-out is 6 s)")
        self.check(b, durable, "on b after the power cut")

    def check(self, node, count, when):
        """Every checksum."""
        self.say(f"{node.name}# sha256sum --check, of {count} files")
        node.must("echo 3 >/proc/sys/vm/drop_caches")
        rc, out = node.run("sha256sum --check /run/vm/manifest | tail -n +1 >/tmp/sums; "
                           "grep -v ': OK$' /tmp/sums; grep -c ': OK$' /tmp/sums", 200)
        good = int(out.strip().splitlines()[-1])
        self.show(f"{good} OK, {count - good} missing or wrong")
        if rc != 0 or good != count:
            raise Failed(f"{count - good} files that were durable are missing or wrong:\n{out}")
        self.facts.append(f"{count} files fsynced, {good} right {when}")

    def return_of_a(self, durable):
        """The survivors write on; the dead node comes back."""
        a, b, _ = self.cluster.nodes
        self.head("b unpacks on, while a is dead; then a gets power again.")
        job = b.start(f"timeout 20 {w.TOOLS}/unpack-load {self.archive} {w.MOUNT}/tree "
                      f"{durable}")
        a.boot()
        job.wait()
        more = [l for l in job.output.splitlines(True) if re.match(r"[0-9a-f]{64}  .*\n", l)]
        with open(self.manifest, "a", encoding="utf-8") as out:
            out.writelines(more)
        lacks = w.peer(b.status(), "a")["peer_devices"][0]["out-of-sync-bytes"]
        self.say(f"{len(more)} files more; a lacks {lacks / MIB:.1f} MiB:")
        self.command(b, "blkrepl status r0")
        before = self.cluster.switch.carried(1, 0)
        a.load_module()
        self.command(a, "blkrepl up r0")
        b.wait_status(w.sees("a"))
        seconds = self.progress(b, 2)
        sent = self.cluster.switch.carried(1, 0) - before
        self.command(b, "blkrepl status r0")
        size = w.sizes(b)[0]
        self.say(f"partial resync: {sent / MIB:.1f} MiB over the wire, of {size / MIB:.0f} MiB")
        self.facts.append(f"a came back and got what it missed: {sent / MIB:.1f} MiB of "
                          f"{size / MIB:.0f} MiB in {seconds:.0f} s")
        return durable + len(more)

    def compare(self, count):
        """The last word: what is on the disks."""
        a, b, _ = self.cluster.nodes
        self.head("b hands over to a, which has been dead: all files again, on a.")
        self.command(b, f"umount {w.MOUNT} && blkrepl secondary r0")
        self.command(a, f"blkrepl primary r0 && mount -o ro {DEVICE} {w.MOUNT}")
        with open(self.manifest, encoding="utf-8") as manifest, \
                open(os.path.join(a.share, "manifest"), "w", encoding="utf-8") as out:
            out.write(manifest.read())
        self.check(a, count, "on a after its return")
        a.must(f"umount {w.MOUNT}")
        self.head("Everything down; the three disks are compared, outside of the machines.")
        size = w.sizes(a)[0]
        w.together(self.cluster.nodes, "blkrepl down r0 && rmmod blkrepl")
        sums = {}
        for node in self.cluster.nodes:
            node.power_off()
            sums[node.name] = w.sha256(node.disk_file(), size)
            self.show(f"{node.name}  {sums[node.name]}")
        if len(set(sums.values())) != 1:
            raise Failed("the replicas differ")
        self.facts.append(f"the three replicas are identical, all {size} bytes")
        complaints = self.cluster.kernel_complaints()
        if complaints:
            raise Failed("the kernels complained:\n" + "\n".join(complaints[:10]))

    def run(self):
        """All steps, then the screen."""
        self.prepare()
        self.begin = time.monotonic()
        self.boot()
        self.initial_sync()
        cut, durable = self.unpack()
        self.fail_over(cut, durable)
        count = self.return_of_a(durable)
        self.compare(count)
        print("\n" + "=" * 72)
        print("What happened\n")
        for number, fact in enumerate(self.facts, 1):
            print(f"  {number}. {fact}")
        print(f"\n  No acknowledged write was lost.  {self.now():.0f} s in all.")
        print("=" * 72, flush=True)


def main():
    """0 only if all of it was so."""
    kernel = sys.argv[1] if len(sys.argv) > 1 else "6.1"
    try:
        with Cluster(kernel, nodes=3, disks=[SIZE], name="demo", lose="random",
                     seed=w.seed_from_env()) as cluster:
            demo = Demo(cluster)
            try:
                demo.run()
                return 0
            except (Failed, VmError, OSError, subprocess.CalledProcessError) as error:
                print(f"\nFAILED after {demo.now():.0f} s: {error}\n")
                w.report(w.Tap(), cluster)
    except VmError as error:
        print(f"\nFAILED: {error}")
    print(f"\nLogs: {os.path.relpath(BUILD, TOP)}/logs/demo-*.log, "
          f"commands and their output: {os.path.relpath(BUILD, TOP)}/vm/demo-*/share")
    return 1


if __name__ == "__main__":
    sys.exit(main())
