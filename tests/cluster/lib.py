# SPDX-License-Identifier: GPL-2.0-only
"""Clusters of virtual machines: one machine a node, faults between and below.

    from lib import Cluster, Tap

    with Cluster("6.1", nodes=3, disks=["256M"]) as cluster:
        tap = Tap()
        a, b, c = cluster.nodes
        cluster.boot()                      # in parallel
        rc, out = a.run("ip addr")
        a.must("mkfs.ext4 /dev/vda")        # raises unless it succeeds
        job = a.start("fio ...")            # goes on beside
        cluster.partition([[0], [1, 2]])
        a.power_cut()                       # unflushed writes may be lost
        cluster.heal()
        a.boot()                            # same disks
        rc, out = job.wait()                # rc None: the machine went away
        tap.ok(rc == 0, "what was shown", out)
    tap.done(cluster)                       # plan, kernel logs, exit status

Nodes are called a, b, c, ...; node i has the address 10.10.0.(i+1), on all
the others in /etc/hosts by name.  Disks are /dev/vda, /dev/vdb, ...
Each node's shared directory is /run/vm there and node.share here.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vm"))
# pylint: disable=wrong-import-position
from qemu import BUILD, TOP, VM, Kernel, Qemu, VmError  # noqa: E402
from libnet import Switch, mac  # noqa: E402

BOOT_TIMEOUT = float(os.environ.get("BLKREPL_BOOT_TIMEOUT", "120"))


class NodeDied(VmError):
    """A machine ended although nobody had cut its power."""


class CommandFailed(VmError):
    """A command that had to succeed didn't."""


class Job:
    """A command that runs on a node."""

    def __init__(self, node, number, command):
        self.node = node
        self.number = number
        self.command = command
        self.ended = threading.Event()
        self.rc = None

    def _file(self, kind):
        path = os.path.join(self.node.share, f"{kind}.{self.number}")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    @property
    def output(self):
        """What it has printed, up to now."""
        return self._file("out")

    @property
    def printed(self):
        """How many bytes that is."""
        return len(self.output_after(0))

    def output_after(self, offset):
        """What it has printed behind so many bytes."""
        path = os.path.join(self.node.share, f"out.{self.number}")
        try:
            with open(path, "rb") as file:
                file.seek(offset)
                return file.read()
        except FileNotFoundError:
            return b""

    def finish(self):
        """Called by the node when the agent says so, or when it is gone."""
        self.rc = int(self._file("rc").strip() or -1) if self.node.up else None
        self.ended.set()

    def wait(self, timeout=60):
        """(rc, output); rc is None if the machine went away meanwhile."""
        if not self.ended.wait(timeout):
            raise VmError(f"{self.node.name}: no end after {timeout:g} s: "
                          f"{self.command}\n{self.output}\n"
                          f"look into {self.node.qemu.log}")
        return self.rc, self.output


class Node:
    """A machine, with disks that outlive it."""

    # pylint: disable=too-many-instance-attributes
    def __init__(self, cluster, index, disks, mem, cpus):
        self.cluster = cluster
        self.index = index
        self.name = "abcdefghijklmnop"[index]
        self.addr = f"10.10.0.{index + 1}"
        self.up = False
        self.jobs = {}
        self.counter = 0
        self.servers = []
        self.sockets = []
        self.agent = None
        self.agent_path = os.path.join(cluster.sockets, f"agent-{self.name}")
        self.ready = threading.Event()
        self.qemu = Qemu(cluster.kernel, f"{cluster.name}-{self.name}", mem, cpus,
                         env={"BLKREPL_CONFIG_DIR": "/run/vm/conf.d",
                              "BLKREPL_NODE": self.name})
        self.share = self.qemu.share
        os.mkdir(os.path.join(self.share, "conf.d"))
        self.qemu.port("blkrepl.agent",
                       f"socket,server=on,wait=off,path={self.agent_path}")
        self.qemu.args += [
            "-netdev", "stream,id=net0,server=off,addr.type=unix,"
            f"addr.path={cluster.switch.ports[index].path}",
            "-device", f"virtio-net-pci,netdev=net0,mac={mac(index)},"
            f"host_mtu={cluster.mtu}"]
        for number, size in enumerate(disks):
            self._disk(number, size)

    def disk_file(self, number=0):
        """The raw file of a disk: what is on its medium."""
        return os.path.join(self.qemu.dir, f"disk{number}")

    def _disk(self, number, size):
        path = self.disk_file(number)
        subprocess.run(["truncate", "-s", size, path], check=True)
        sock = os.path.join(self.cluster.sockets, f"disk-{self.name}{number}")
        with open(os.path.join(self.qemu.dir, f"disk{number}.log"), "wb") as log:
            self.servers.append(subprocess.Popen(
                [sys.executable, os.path.join(HERE, "libdisk.py"), sock, path,
                 str(self.cluster.seed * 100 + self.index * 10 + number),
                 self.cluster.lose], stdout=log, stderr=log))
        self.sockets.append(sock)
        self.qemu.disk("nbd+unix:///?socket=" + urllib.parse.quote(sock))

    # --- power ------------------------------------------------------------

    def power_on(self):
        """Start, without waiting."""
        # A new one: the listener of a power cut just now may still set the old.
        self.ready = threading.Event()
        while not all(os.path.exists(path) for path in self.sockets):
            if any(server.poll() is not None for server in self.servers):
                raise VmError(f"a disk of {self.name} does not start: see "
                              f"{self.qemu.dir}/disk*.log")
            time.sleep(0.02)
        if os.path.exists(self.agent_path):
            os.unlink(self.agent_path)
        self.qemu.start()
        threading.Thread(target=self._listen, args=(self.ready,), daemon=True).start()

    def wait_ready(self, timeout=BOOT_TIMEOUT):
        """Until it takes commands."""
        if not self.ready.wait(timeout) or not self.up:
            raise NodeDied(f"{self.name}: died or not up after {timeout:g} s, log: "
                           f"{self.qemu.log}, its end:\n{self.qemu.log_tail()}")

    def boot(self, timeout=BOOT_TIMEOUT):
        """Start and wait; the same disks as before."""
        self.power_on()
        self.wait_ready(timeout)

    def power_cut(self):
        """Gone at this instant; what its disks hadn't flushed may be lost."""
        self.up = False
        self.qemu.kill()
        self._end_jobs()

    def power_off(self):
        """Shut down in order."""
        self.up = False
        self.agent.sendall(b"poweroff\n")
        try:
            self.qemu.proc.wait(60)
        except subprocess.TimeoutExpired:
            self.qemu.kill()
        self._end_jobs()

    def pause(self):
        """Freeze the machine: nothing answers, its clock stands still."""
        os.kill(self.qemu.proc.pid, 19)

    def resume(self):
        """End of pause()."""
        os.kill(self.qemu.proc.pid, 18)

    # --- commands ---------------------------------------------------------

    def start(self, command):
        """Start a shell command on the node; see Job."""
        if not self.up:
            raise NodeDied(f"{self.name} is not up: call boot() first")
        self.counter += 1
        job = Job(self, self.counter, command)
        with open(os.path.join(self.share, f"cmd.{job.number}"), "w",
                  encoding="utf-8") as out:
            out.write(f"cd {shlex.quote(TOP)}\nPATH=$PWD/build/userspace:$PATH\n{command}\n")
        self.jobs[job.number] = job
        self.agent.sendall(f"{job.number}\n".encode())
        return job

    def run(self, command, timeout=60):
        """(rc, output) of a shell command."""
        job = self.start(command)
        rc, output = job.wait(timeout)
        if rc is None and not self.cluster.expect_deaths:
            raise NodeDied(f"{self.name} died during: {command}\nlog: "
                           f"{self.qemu.log}, its end:\n{self.qemu.log_tail()}")
        return rc, output

    def must(self, command, timeout=60):
        """The output of a command that has to succeed."""
        rc, output = self.run(command, timeout)
        if rc != 0:
            raise CommandFailed(f"{self.name}: '{command}' returned {rc}:\n{output}")
        return output

    def wait_until(self, command, timeout=60):
        """Repeat a command until it succeeds; its output."""
        end = time.monotonic() + timeout
        while True:
            rc, output = self.run(command)
            if rc == 0:
                return output
            if time.monotonic() > end:
                raise CommandFailed(f"{self.name}: '{command}' does not succeed "
                                    f"after {timeout:g} s, returned {rc}:\n{output}")
            time.sleep(0.2)

    def load_module(self, params=""):
        """Load this tree's module."""
        path = os.path.join(BUILD, "modules", self.cluster.kernel.name, "blkrepl.ko")
        if not os.path.exists(path):
            raise VmError(f"no {path}: run tests/vm/kernel build "
                          f"{self.cluster.kernel.name}")
        path = shlex.quote(path)
        self.must(f"for d in $(modinfo -F depends {path} | tr , ' '); do "
                  f"modprobe $d || exit 1; done; insmod {path} {params}")

    def status(self, resource="r0"):
        """What "blkrepl status --json" says of a resource, as a dictionary."""
        return json.loads(self.must(f"blkrepl status --json {resource}"))[0]

    def wait_status(self, good, resource="r0", timeout=60):
        """Until good(status) holds; that status."""
        end = time.monotonic() + timeout
        while True:
            status = self.status(resource)
            if good(status):
                return status
            if time.monotonic() > end:
                raise VmError(f"{self.name}: not what was waited for after "
                              f"{timeout:g} s:\n{json.dumps(status, indent=1)}")
            time.sleep(0.2)

    # --- the agent's other end --------------------------------------------

    def _connect(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        while self.qemu.proc.poll() is None:
            try:
                sock.connect(self.agent_path)
                return sock
            except OSError:
                time.sleep(0.02)
        return None

    def _listen(self, ready):
        proc = self.qemu.proc
        self.agent = self._connect()
        try:
            for line in self.agent.makefile() if self.agent else []:
                line = line.strip()
                if line == "ready":
                    self.up = True
                    ready.set()
                elif line.isdigit():
                    self.jobs.pop(int(line)).finish()
        except OSError:
            pass
        proc.wait()
        if self.qemu.proc is proc:
            self.up = False
            self._end_jobs()
        ready.set()

    def _end_jobs(self):
        for number in list(self.jobs):
            job = self.jobs.pop(number, None)
            if job:
                job.finish()

    def close(self):
        """No trace is left but logs and disks' files."""
        self.up = False
        self.qemu.kill()
        for server in self.servers:
            server.kill()
            server.wait()


def connected(status):
    """For wait_status(): connected to all peers."""
    return all(c["connection-state"] == "Connected" for c in status["connections"])


def in_step(status):
    """For wait_status(): all disks, own and peers', are UpToDate."""
    return (all(d["disk-state"] == "UpToDate" for d in status["devices"]) and
            all(p["peer-disk-state"] == "UpToDate"
                for c in status["connections"] for p in c["peer_devices"]))


class Cluster:
    """Machines, the network between them, and how their disks lose data.

    lose: none, all, random - see libdisk.py.  seed makes the lots of disks
    and of lossy links repeatable (the machines themselves are not).
    """

    # pylint: disable=too-many-instance-attributes,too-many-arguments
    def __init__(self, kernel="6.1", nodes=3, disks=("256M",), mem=512, cpus=1,
                 lose="random", seed=1, mtu=9000, name=None):
        self.kernel = Kernel(kernel)
        self.name = name or os.path.splitext(os.path.basename(sys.argv[0]))[0]
        self.lose = lose
        self.seed = seed
        self.mtu = mtu
        self.expect_deaths = False
        # Paths of sockets are short, the tree's may be long.
        self.sockets = tempfile.mkdtemp(prefix="blkrepl-")
        self.switch = Switch(self.sockets, nodes, seed)
        self.nodes = []
        try:
            for index in range(nodes):
                self.nodes.append(Node(self, index, disks, mem, cpus))
            self._hosts()
        except BaseException:
            self.close()
            raise

    def _hosts(self):
        lines = ["127.0.0.1 localhost"] + [f"{n.addr} {n.name}" for n in self.nodes]
        for node in self.nodes:
            with open(os.path.join(node.share, "hosts"), "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n")
            with open(os.path.join(node.share, "setup"), "w", encoding="utf-8") as out:
                out.write("cat /run/vm/hosts >/etc/hosts\n"
                          f"ip addr add {node.addr}/24 dev eth0\n"
                          f"ip link set eth0 up mtu {self.mtu}\n")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __getitem__(self, name):
        return next(node for node in self.nodes if node.name == name)

    def boot(self):
        """All machines at once."""
        for node in self.nodes:
            node.power_on()
        for node in self.nodes:
            node.wait_ready()

    def write_conf(self, text, name="r0"):
        """The same resource file on all nodes, kept over power cuts."""
        for node in self.nodes:
            path = os.path.join(node.share, "conf.d", name + ".conf")
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            os.chmod(path, 0o600)

    def new_conf(self, name="r0", extra="", disk="/dev/vda"):
        """A resource of one volume on all nodes, on the same disk of each."""
        hosts = "".join(
            f"  on {n.name} {{\n    node-id {n.index};\n    address {n.addr}:7789;\n"
            f"    volume 0 {{ device minor 0; disk {disk}; meta-disk internal; }}\n"
            "  }\n" for n in self.nodes)
        self.write_conf(f"resource {name} {{\n"
                        "  net { secret \"not a secret at all\"; }\n"
                        f"  {extra}\n{hosts}}}\n", name)

    def partition(self, groups):
        """partition([[0], [1, 2]]): indices of nodes that reach each other."""
        self.switch.partition(groups)

    def heal(self):
        """No network faults any more."""
        self.switch.heal()

    def set_lose(self, lose):
        """How disks lose data from now on: none, all, random."""
        for node in self.nodes:
            for number in range(len(node.servers)):
                path = os.path.join(self.sockets, f"disk-{node.name}{number}.lose")
                with open(path, "w", encoding="utf-8") as out:
                    out.write(lose)

    def kernel_complaints(self):
        """Lines of the serial logs that no driver should cause."""
        with open(os.path.join(VM, "bad-messages"), encoding="utf-8") as file:
            bad = re.compile("|".join(line.strip() for line in file))
        found = []
        for node in self.nodes:
            with open(node.qemu.log, encoding="utf-8", errors="replace") as log:
                found += [f"{node.name}: {line.strip()}" for line in log
                          if bad.search(line)]
        return found

    def close(self):
        """End of all machines."""
        for node in self.nodes:
            node.close()
        self.switch.close()
        shutil.rmtree(self.sockets, ignore_errors=True)


class Tap:
    """Output for prove and for people."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, what, detail=""):
        """One line; detail only when it failed."""
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)
        if not good:
            self.failed += 1
            self.diag(detail)
        return good

    @staticmethod
    def diag(text):
        """Lines that say more."""
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def done(self, cluster=None):
        """The end of a test: kernel logs, the plan, the exit status."""
        if cluster:
            complaints = cluster.kernel_complaints()
            self.ok(not complaints, "no warnings in the kernel logs",
                    "\n".join(complaints[:20]))
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)
