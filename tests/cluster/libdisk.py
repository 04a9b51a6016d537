#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A disk with a volatile write cache, for machines whose power gets cut.

    libdisk.py SOCKET FILE SEED LOSE

An NBD server for one client at a time over a file.  What was written is held
in memory until a flush.  When the client goes without a good-bye (QEMU was
killed), each sector not flushed is lost or kept as LOSE says:

    none     all are kept: a disk without a volatile cache
    all      all are lost
    random   by lot another rule each time: one of the above; each 4 KiB
             block by lot; each sector by lot; what was first written after
             some moment is lost

A real drive may do any of these.  LOSE is read anew from the file
SOCKET.lose, if there is one, at every power cut.
"""

import os
import random
import signal
import socket
import struct
import sys

BLOCK = 4096
SECTOR = 512
CACHE_BLOCKS = 16384            # 64 MiB, then the oldest are written back

NBD_OPTS = 0x49484156454F5054
NBD_REP = 0x3E889045565A9
REQUEST, REPLY = 0x25609513, 0x67446698
READ, WRITE, DISC, FLUSH, TRIM, ZEROES = 0, 1, 2, 3, 4, 6
FUA = 1
# has flags, flush, FUA, trim, write zeroes
FLAGS = 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6
FALLOC_PUNCH = 3                # punch hole, keep size


class PowerCut(Exception):
    """The client is gone without a word."""


class Disk:
    """The file, and over it the blocks that were written but not flushed."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.file).st_size
        self.cache = {}         # number -> bytearray, in order of first write
        self.lost = 0

    def _block(self, number):
        block = self.cache.get(number)
        if block is None:
            block = bytearray(os.pread(self.file, BLOCK, number * BLOCK))
            block.extend(bytes(BLOCK - len(block)))
        return block

    def read(self, offset, length):
        """What the machine sees: the cache over the file."""
        data = bytearray(os.pread(self.file, length, offset))
        if not self.cache:
            return data
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        for number in range(first, last + 1):
            block = self.cache.get(number)
            if block is None:
                continue
            start = max(number * BLOCK, offset)
            end = min((number + 1) * BLOCK, offset + length)
            data[start - offset:end - offset] = \
                block[start - number * BLOCK:end - number * BLOCK]
        return data

    def write(self, offset, data, durable):
        """Into the cache; with durable to the file too, just that range."""
        if durable:
            os.pwrite(self.file, data, offset)
        position = 0
        while position < len(data):
            number, start = divmod(offset + position, BLOCK)
            count = min(BLOCK - start, len(data) - position)
            if not durable or number in self.cache:
                block = self._block(number)
                block[start:start + count] = data[position:position + count]
                self.cache[number] = block
            position += count
        while len(self.cache) > CACHE_BLOCKS:
            number = next(iter(self.cache))
            os.pwrite(self.file, self.cache.pop(number), number * BLOCK)

    def zero(self, offset, length):
        """Zeroes at once on the medium: a drive may write back when it likes,
        and a discard of gigabytes must not fill the cache."""
        end = offset + length
        first, last = -(-offset // BLOCK), end // BLOCK
        if first >= last:
            self.write(offset, bytes(length), False)
            return
        self.write(offset, bytes(first * BLOCK - offset), False)
        self.write(last * BLOCK, bytes(end - last * BLOCK), False)
        if last - first < len(self.cache):
            for number in range(first, last):
                self.cache.pop(number, None)
        else:
            self.cache = {number: block for number, block in self.cache.items()
                          if not first <= number < last}
        # Python has no fallocate with a mode.
        punch(self.file, first * BLOCK, (last - first) * BLOCK)

    def flush(self):
        """All is on the medium."""
        for number, block in self.cache.items():
            os.pwrite(self.file, block, number * BLOCK)
        self.cache.clear()

    def power_cut(self, lose, lot):
        """Decide what becomes of each sector that wasn't flushed."""
        if lose == "random":
            lose = lot.choice(["all", "none", "blocks", "sectors", "moment"])
        total = len(self.cache)
        moment = lot.randrange(total + 1)
        kept = 0
        for order, (number, block) in enumerate(self.cache.items()):
            keep = {"all": 0, "none": 255, "blocks": lot.choice((0, 255)),
                    "sectors": lot.randrange(256),
                    "moment": 255 if order < moment else 0}[lose]
            kept += keep == 255
            for sector in range(BLOCK // SECTOR):
                if keep >> sector & 1:
                    start = sector * SECTOR
                    os.pwrite(self.file, block[start:start + SECTOR],
                              number * BLOCK + start)
        self.cache.clear()
        print(f"power cut: {lose}, of {total} blocks {kept} kept", flush=True)


def punch(file, offset, length):
    """fallocate(2) through libc."""
    import ctypes  # pylint: disable=import-outside-toplevel
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(file, FALLOC_PUNCH, ctypes.c_long(offset), ctypes.c_long(length)):
        # A file system without holes.
        step = 1 << 20
        for start in range(offset, offset + length, step):
            os.pwrite(file, bytes(min(step, offset + length - start)), start)


class Client:
    """One connection: handshake, then requests until it ends."""

    def __init__(self, sock, disk):
        self.sock = sock
        self.disk = disk

    def get(self, count):
        """Exactly so many bytes."""
        data = bytearray()
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise PowerCut
            data += more
        return bytes(data)

    def _option_reply(self, option, kind, data=b""):
        self.sock.sendall(struct.pack(">QIII", NBD_REP, option, kind, len(data)) + data)

    def handshake(self):
        """Options until the client goes over to requests."""
        self.sock.sendall(b"NBDMAGIC" + struct.pack(">QH", NBD_OPTS, 3))
        self.get(4)
        while True:
            _, option, length = struct.unpack(">QII", self.get(16))
            self.get(length)
            if option == 1:                             # export name
                self.sock.sendall(struct.pack(">QH", self.disk.size, FLAGS))
                return True
            if option == 2:                             # abort
                self._option_reply(option, 1)
                return False
            if option in (6, 7):                        # info, go
                self._option_reply(option, 3, struct.pack(">HQH", 0, self.disk.size, FLAGS))
                self._option_reply(option, 3, struct.pack(">HIII", 3, 1, BLOCK, 1 << 25))
                self._option_reply(option, 1)
                if option == 7:
                    return True
            else:
                self._option_reply(option, 1 << 31 | 1)  # not supported

    def serve(self):
        """Return after a good-bye, raise PowerCut without."""
        if not self.handshake():
            return
        while True:
            _, flags, kind, handle, offset, length = \
                struct.unpack(">IHHQQI", self.get(28))
            data = b""
            if kind == READ:
                data = self.disk.read(offset, length)
            elif kind == WRITE:
                self.disk.write(offset, self.get(length), bool(flags & FUA))
            elif kind == FLUSH:
                self.disk.flush()
            elif kind in (TRIM, ZEROES):
                self.disk.zero(offset, length)
            elif kind == DISC:
                self.disk.flush()
                return
            self.sock.sendall(struct.pack(">IIQ", REPLY, 0, handle) + data)


def main():
    """Serve one client after another."""
    path, file, seed, lose = sys.argv[1:5]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lot = random.Random(int(seed))
    disk = Disk(file)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(4)
    while True:
        sock, _ = listener.accept()
        try:
            Client(sock, disk).serve()
        except (PowerCut, OSError):
            if os.path.exists(path + ".lose"):
                with open(path + ".lose", encoding="utf-8") as now:
                    lose = now.read().strip()
            disk.power_cut(lose, lot)
        sock.close()


if __name__ == "__main__":
    main()
