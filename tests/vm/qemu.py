# SPDX-License-Identifier: GPL-2.0-only
"""Start a test machine: one QEMU process, its log and its shared directory.

Used by tests/vm/run (one machine, one command) and by tests/cluster/lib.py
(several machines that stay up and take commands).
"""

import os
import shlex
import shutil
import subprocess

VM = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(VM))
BUILD = os.path.join(TOP, "build")

# What ends a machine as soon as the kernel is unhappy.  guest-init sets the
# same through sysctl, for what happens at run time only.
PANIC = "oops=panic panic=-1 panic_on_warn=1"


class VmError(Exception):
    """A machine could not be started or died; the text says what to do."""


def script(*args):
    """Run one of our scripts and return the line that it prints."""
    done = subprocess.run([os.path.join(VM, args[0]), *args[1:]],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise VmError(f"tests/vm/{' '.join(args)} failed: see the message above")
    return done.stdout.strip()


def quote(path):
    """A value inside a comma-separated QEMU option."""
    return path.replace(",", ",,")


class Kernel:
    """A kernel of tests/vm/kernel, with an initramfs."""

    def __init__(self, name):
        self.name = name
        self.dir = os.path.realpath(script("kernel", "dir", name))
        self.image = os.path.join(self.dir, "vmlinuz")
        self.modules = os.path.realpath(os.path.join(self.dir, "modules"))
        self.initramfs = script("initramfs", name)


class Qemu:
    """The command line of one machine, and its process."""

    def __init__(self, kernel, name, mem=1024, cpus=2, append="", env=None,
                 panic=True):
        self.kernel = kernel
        self.name = name
        self.dir = os.path.join(BUILD, "vm", name)
        self.share = os.path.join(self.dir, "share")
        self.log = os.path.join(BUILD, "logs", name + ".log")
        self.proc = None
        self.env = {"VM_NAME": name.rsplit("-", 1)[-1], "VM_MODULES": kernel.modules,
                    "VM_KERNEL": kernel.name, "VM_TREE": TOP, "VM_OUT": "/run/vm"}
        for key, value in os.environ.items():
            if key.startswith("BLKREPL_") and key != "BLKREPL_CACHE":
                self.env[key] = value
        self.env.update(env or {})
        if not panic:
            self.env["VM_NO_PANIC"] = "1"
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.share)
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        open(self.log, "w", encoding="utf-8").close()
        shutil.copy(os.path.join(VM, "guest-init"), self.share)
        with open(os.path.join(self.share, "env"), "w", encoding="utf-8") as out:
            for key, value in self.env.items():
                out.write(f"{key}={shlex.quote(value)}\n")
        self.args = self._base(mem, cpus, f"{PANIC if panic else ''} {append}")

    def _base(self, mem, cpus, append):
        # KVM only when asked for: a /dev/kvm that opens may still not work.
        if os.environ.get("BLKREPL_ACCEL") == "kvm":
            accel = ["-accel", "kvm", "-cpu", "host"]
        else:
            accel = ["-accel", "tcg,thread=multi", "-cpu", "max"]
        return ["qemu-system-x86_64", *accel, "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-name", self.name,
                "-m", str(mem), "-smp", str(cpus),
                "-kernel", self.kernel.image, "-initrd", self.kernel.initramfs,
                # On a busy host the emulated timer may look dead, and a CPU stalled.
                "-append", "console=ttyS0 quiet mitigations=off nokaslr no_timer_check "
                # tests count lines of the log: none may be lost
                "log_buf_len=16M "
                "rcupdate.rcu_cpu_stall_timeout=120 random.trust_cpu=on " + append,
                # Appended to: a machine that is booted again keeps its past.
                "-chardev", f"file,id=log,append=on,path={quote(self.log)}",
                "-serial", "chardev:log",
                "-device", "virtio-rng-pci",
                "-device", "virtio-serial-pci",
                *self._share("root", "/", "readonly=on"),
                *self._share("share", self.share, "readonly=off")]

    @staticmethod
    def _share(tag, path, access):
        return ["-fsdev", f"local,id={tag},path={quote(path)},security_model=none,"
                f"multidevs=remap,{access}",
                "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]

    def port(self, name, chardev):
        """A serial port of the guest's, on any character device of QEMU's."""
        ident = name.replace(".", "-")
        kind, _, rest = chardev.partition(",")
        self.args += ["-chardev", f"{kind},id={ident}" + (f",{rest}" if rest else ""),
                      "-device", f"virtserialport,chardev={ident},name={name}"]

    def disk(self, url, cache="writeback"):
        """A disk /dev/vdX, from a raw file or a URL like nbd+unix:///..."""
        number = sum(1 for arg in self.args if arg.startswith("virtio-blk"))
        self.args += ["-drive", f"file={quote(url)},format=raw,if=none,id=d{number},"
                      f"cache={cache},discard=unmap,detect-zeroes=off",
                      "-device", f"virtio-blk-pci,drive=d{number}"]

    def start(self, stdout=None):
        """Start the emulator."""
        if not shutil.which(self.args[0]):
            raise VmError("qemu-system-x86_64 is missing: run .ci/install-deps")
        # An end of file on stdin would close a stdio port in the guest too.
        self.proc = subprocess.Popen(self.args, stdin=subprocess.PIPE,
                                     stdout=stdout)

    def kill(self):
        """A power cut."""
        if self.proc and self.proc.poll() is None:
            self.proc.kill()
        if self.proc:
            self.proc.wait()

    def log_tail(self, lines=40):
        """The end of the serial log, for an error message."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])
