# SPDX-License-Identifier: GPL-2.0-only
"""What the cluster tests have in common: a resource on all nodes, loads that
tell what was acknowledged, failover, and the comparison bit by bit."""

import hashlib
import json
import os
import random
import re
import signal
import sys
import time

from lib import TOP, Cluster, Tap, VmError, connected, in_step

TOOLS = os.path.join(TOP, "tests", "tools")
MOUNT = "/mnt"
DEVICE = "/dev/blkrepl0"
# Sooner than the defaults, and long enough for an emulated CPU that is busy.
NET = "net { timeout 5s; ping-int 1s; connect-int 500ms; }"

# A test that is ended from outside takes its machines along.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def seed_from_env():
    """SEED=..., or a new one; the test prints it."""
    return int(os.environ.get("SEED") or random.randrange(1, 1 << 24))


def resource(cluster, disks=1, extra=NET):
    """r0 on all nodes: volume N, /dev/blkreplN, is the N-th disk."""
    hosts = ""
    for node in cluster.nodes:
        volumes = "".join(
            f"    volume {n} {{ device minor {n}; disk /dev/vd{'abc'[n]};"
            " meta-disk internal; }\n" for n in range(disks))
        hosts += (f"  on {node.name} {{\n    node-id {node.index};\n"
                  f"    address {node.addr}:7789;\n{volumes}  }}\n")
    cluster.write_conf("resource r0 {\n  net { secret \"not a secret at all\"; }\n"
                       f"  {extra}\n{hosts}}}\n")


def together(nodes, command, timeout=60):
    """The same on several nodes at once; all have to succeed."""
    jobs = [node.start(command) for node in nodes]
    for job in jobs:
        rc, output = job.wait(timeout)
        if rc != 0:
            raise VmError(f"{job.node.name}: '{command}' returned {rc}:\n{output}")


def join(nodes):
    """The module, and the resource, on machines that have just booted."""
    for node in nodes:
        node.load_module()
    together(nodes, "blkrepl up r0")


def create(cluster, disks=1, extra=NET):
    """Boot, make the resource, start it, until everybody is connected."""
    resource(cluster, disks, extra)
    cluster.boot()
    for node in cluster.nodes:
        node.load_module()
    together(cluster.nodes, "blkrepl create-md --force r0 && blkrepl up r0")
    for node in cluster.nodes:
        node.wait_status(connected)


def sizes(node):
    """Bytes of each volume."""
    return [dev["size-bytes"] for dev in node.status()["devices"]]


def peer(status, name):
    """What a status says of one peer."""
    return next(c for c in status["connections"] if c["name"] == name)


def sees(name, state="Connected"):
    """For wait_status(): the connection to a peer is in a state."""
    return lambda status: peer(status, name)["connection-state"] == state


def misses(name):
    """For wait_status(): the peer is known to be away."""
    return lambda status: peer(status, name)["connection-state"] != "Connected"


def split_from(name):
    """For wait_status(): no connection, and split brain is told as the reason."""
    def look(status):
        one = peer(status, name)
        return (one["connection-state"] == "StandAlone"
                and "split brain" in one["last-error"])
    return look


def good(status):
    """All own disks have the newest data."""
    return all(d["disk-state"] == "UpToDate" for d in status["devices"])


def has_heir(status):
    """For wait_status(): some peer has all data and could take over."""
    return any(c["connection-state"] == "Connected" and
               all(p["peer-disk-state"] == "UpToDate" for p in c["peer_devices"])
               for c in status["connections"])


def sync_states(status):
    """In a line: what goes on between a node and its peers."""
    return ", ".join(f"{c['name']} {c['peer_devices'][0]['replication-state']}"
                     for c in status["connections"])


def settled(nodes, timeout=180):
    """Until all nodes are connected to each other and in step."""
    for node in nodes:
        node.wait_status(lambda s: connected(s) and in_step(s), timeout=timeout)


def promote(node, timeout=60):
    """Primary, as soon as nobody objects: peers may have to notice first that
    the old one is gone.  How long it took."""
    begin = time.monotonic()
    node.wait_until("blkrepl primary r0", timeout)
    return time.monotonic() - begin


# --- blocks of 64 KiB -----------------------------------------------------

def noise(place, count=16, flush=True):
    """The command that writes some to a place, which is counted in these blocks too."""
    return (f"dd if=/dev/urandom of={DEVICE} bs=64k count={count} seek={place} oflag=direct "
            f"{'conv=fsync ' if flush else ''}status=none")


def checksum(node, place, count=16):
    """Of what is there."""
    return node.must(f"dd if={DEVICE} bs=64k count={count} skip={place} iflag=direct "
                     "status=none | sha256sum")


def write(node, place, count=16, flush=True):
    """Noise; its checksum."""
    node.must(noise(place, count, flush))
    return checksum(node, place, count)


# --- loads ----------------------------------------------------------------

class Sqlite:
    """tests/tools/sqlite-load on a mounted file system."""

    def __init__(self):
        self.job = None
        self.last = 0           # highest commit that was reported

    def start(self, node, mode):
        """Go on where the database ends."""
        self.job = node.start(f"exec {TOOLS}/sqlite-load write {MOUNT}/db {mode}")

    def commits(self):
        """Reported up to now."""
        found = re.findall(r"^commit (\d+)$", self.job.output, re.M)
        if found:
            self.last = int(found[-1])
        return len(found)

    def check(self, node):
        """(whether all reported ones are there, what it said)"""
        self.commits()
        rc, out = node.run(f"{TOOLS}/sqlite-load check {MOUNT}/db", 120)
        match = re.search(r"^last (\d+)$", out, re.M)
        if rc != 0 or not match:
            return False, out
        # The one transaction whose report was under way may be there or not.
        return self.last <= int(match[1]) <= self.last + 1, \
            f"database ends at {match[1]}, reported was {self.last}"


class Fio:
    """tests/tools/fio-load on a raw device: what is in which region."""

    def __init__(self, device, regions):
        self.device = device
        self.regions = regions
        self.content = {}       # region: its last run that is complete
        self.next = 1
        self.job = None
        self.runs = 0

    def start(self, node):
        """Runs one after another until the power is cut or stop()."""
        node.must("rm -f /run/stop-fio")
        self.job = node.start(f"exec {TOOLS}/fio-load write {self.device} "
                              f"{self.next} {self.regions} /run/stop-fio")

    def done(self):
        """How many runs are complete since start()."""
        return len(re.findall(r"^done ", self.job.output, re.M))

    def stop(self, node, timeout=120):
        """After the run that is under way."""
        node.must("touch /run/stop-fio")
        rc, out = self.job.wait(timeout)
        self.ended()
        return rc == 0, out

    def ended(self):
        """Take in what the output says: a region that was begun and not done
        has blocks of two runs."""
        for what, number in re.findall(r"^(begin|done) (\d+)$", self.job.output, re.M):
            number = int(number)
            if what == "begin":
                self.content.pop(number % self.regions, None)
                self.next = number + 1
            else:
                self.content[number % self.regions] = number
                self.runs += 1

    def check(self, node, timeout=180):
        """(whether all complete runs are there, what it said)"""
        if not self.content:
            return True, ""
        numbers = " ".join(str(n) for n in self.content.values())
        rc, out = node.run(f"{TOOLS}/fio-load check {self.device} {self.regions} "
                           f"{numbers}", timeout)
        return rc == 0, out


# --- records: tests/tools/append-load, on whoever is Primary ---------------

def append(node, device, stop):
    """Write records wherever the device can be written to, until a file exists."""
    return node.start(f"exec {TOOLS}/append-load write {device} {node.name} {stop}")


def acknowledged(jobs):
    """{number: identity} of all nodes, and those that two were given."""
    found, twice = {}, []
    for job in jobs:
        for number, ident in re.findall(r"^acked (\d+) (\S+)$", job.output, re.M):
            if found.setdefault(int(number), ident) != ident:
                twice.append(f"record {number}: {found[int(number)]} and {ident}")
    return found, twice


def check_records(tap, node, jobs, device="/dev/blkrepl0"):
    """On the node that is Primary in the end.  How many there were."""
    found, twice = acknowledged(jobs)
    there = dict(re.findall(r"^record (\d+) (\S+)$",
                            node.must(f"{TOOLS}/append-load list {device}", 300), re.M))
    lost = [f"record {number}: acknowledged {ident}, there is {there.get(str(number))}"
            for number, ident in found.items() if there.get(str(number)) != ident]
    writers = {ident.split("-")[0] for ident in found.values()}
    tap.ok(not twice, "no two Primaries had the same record acknowledged", "\n".join(twice[:20]))
    tap.ok(not lost, f"all {len(found)} records that were acknowledged, to "
           f"{len(writers)} nodes, are there", "\n".join(lost[:20]))
    return len(found)


def primary(cluster):
    """The node that is it, or None."""
    for node in cluster.nodes:
        if node.up and node.run("blkrepl role r0")[1].strip() == "Primary":
            return node
    return None


def wait_primary(nodes, timeout=120):
    """One of these becomes Primary by itself: which."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        for node in nodes:
            if node.run("blkrepl role r0")[1].strip() == "Primary":
                return node
        time.sleep(0.2)
    raise VmError("none is Primary: " + ", ".join(node.name for node in nodes))


# --- the end --------------------------------------------------------------

def first_difference(one, other, size):
    """Where two files differ within their first bytes: a text, empty if not."""
    step = 4096
    odd = []
    with open(one, "rb") as left, open(other, "rb") as right:
        for start in range(0, size, 1 << 20):
            count = min(1 << 20, size - start)
            a, b = left.read(count), right.read(count)
            if a != b:
                odd += [start + i for i in range(0, count, step)
                        if a[i:i + step] != b[i:i + step]]
    if not odd:
        return ""
    return (f"{len(odd)} blocks differ, at bytes "
            + ", ".join(str(o) for o in odd[:8]) + (" ..." if odd[8:] else ""))


def sha256(path, size):
    """Of the first bytes of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while size:
            data = file.read(min(1 << 20, size))
            digest.update(data)
            size -= len(data)
    return digest.hexdigest()


def identical(tap, cluster):
    """Take the resource down everywhere and compare what is on the media."""
    nodes = cluster.nodes
    lengths = sizes(nodes[0])
    together(nodes, "blkrepl down r0 && rmmod blkrepl")
    for node in nodes:
        node.power_off()
    for number, size in enumerate(lengths):
        text = []
        for node in nodes[1:]:
            odd = first_difference(nodes[0].disk_file(number), node.disk_file(number), size)
            if odd:
                text.append(f"{nodes[0].name} and {node.name}: {odd}")
        tap.ok(not text, f"volume {number}: all replicas are identical, "
               f"{size} bytes each, sha256 {sha256(nodes[0].disk_file(number), size)[:16]}",
               "\n".join(text))


def report(tap, cluster):
    """After a failure: how each node sees things."""
    for node in cluster.nodes:
        if node.up:
            try:
                tap.diag(f"{node.name}:\n" + node.run("blkrepl status --statistics r0", 10)[1])
            except VmError as error:
                tap.diag(f"{node.name}: {error}")
        tap.diag(f"log of {node.name}: {os.path.relpath(node.qemu.log, TOP)}")


def run(test, **options):
    """A test's main(): test(tap, cluster), whatever happens in it."""
    tap = Tap()
    kernel = sys.argv[1] if len(sys.argv) > 1 else "6.1"
    begin = time.monotonic()
    with Cluster(kernel, **options) as cluster:
        try:
            test(tap, cluster)
        except (VmError, OSError, KeyError, StopIteration, json.JSONDecodeError) as error:
            tap.ok(False, "the test comes to its end",
                   f"{type(error).__name__}: {error}")
        if tap.failed:
            report(tap, cluster)
        tap.diag(f"{time.monotonic() - begin:.0f} s")
        tap.done(cluster)
