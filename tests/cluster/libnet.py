# SPDX-License-Identifier: GPL-2.0-only
"""The switch between the machines of a cluster, with faults.

Every machine's network card is a stream of frames over a UNIX socket, each
with its length in front (QEMU's "-netdev stream").  The switch runs in a
thread of the test, knows the port of each address (see mac()), and lets the
test cut, delay or thin out every direction of every link at any time.
"""

import collections
import heapq
import os
import random
import selectors
import socket
import struct
import threading
import time

# Frames that wait for a machine which doesn't read: beyond it they are lost,
# as in a switch of hardware.
QUEUE_BYTES = 4 << 20


def mac(port):
    """The address of the card at a port; the switch finds the port in it."""
    return f"52:54:00:b1:0c:{port:02x}"


class Link:
    """One direction of a link: what happens to frames."""

    # pylint: disable=too-few-public-methods
    def __init__(self):
        self.cut = False
        self.delay = 0.0
        self.loss = 0.0
        self.busy_until = 0.0
        self.rate = 0           # bytes a second, 0 for no limit
        self.frames = 0
        self.bytes = 0


class Port:
    """A machine's end: a socket that is there while the machine runs."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.setblocking(False)
        self.sock = None
        self.inbuf = bytearray()
        self.out = collections.deque()
        self.queued = 0

    def drop(self):
        """Forget a connection: the machine is gone."""
        if self.sock:
            self.sock.close()
        self.sock = None
        self.inbuf.clear()
        self.out.clear()
        self.queued = 0

    def frames(self, data):
        """Cut what came in into whole frames."""
        self.inbuf += data
        start = 0
        while len(self.inbuf) - start >= 4:
            size = struct.unpack_from(">I", self.inbuf, start)[0]
            if len(self.inbuf) - start - 4 < size:
                break
            yield bytes(self.inbuf[start:start + 4 + size])
            start += 4 + size
        del self.inbuf[:start]


class Switch:
    """All ports, and the links between them."""

    def __init__(self, directory, ports, seed=1):
        self.ports = [Port(os.path.join(directory, f"net{i}")) for i in range(ports)]
        self.links = {(a, b): Link() for a in range(ports) for b in range(ports)
                      if a != b}
        self.random = random.Random(seed)
        self.late = []          # (time, number, port, frame)
        self.number = 0
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        for number, port in enumerate(self.ports):
            self.selector.register(port.listener, selectors.EVENT_READ, ("new", number))
        self.running = True
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    # --- faults, called by tests ------------------------------------------

    def _directions(self, one, other, both):
        pairs = [(one, other), (other, one)] if both else [(one, other)]
        return [self.links[pair] for pair in pairs]

    def set(self, one, other, both=True, **what):
        """set(0, 1, cut=True), delay=0.05, loss=0.1, rate=1e6; one direction
        only with both=False: from the first to the second."""
        with self.lock:
            for link in self._directions(one, other, both):
                for key, value in what.items():
                    if not hasattr(link, key):
                        raise AttributeError(f"a link has no '{key}'")
                    setattr(link, key, value)

    def partition(self, groups):
        """Only machines of the same group reach each other; one that is in
        no group is alone."""
        with self.lock:
            for (one, other), link in self.links.items():
                link.cut = not any(one in group and other in group for group in groups)

    def heal(self):
        """No faults any more."""
        with self.lock:
            for link in self.links.values():
                link.cut, link.delay, link.loss, link.rate = False, 0.0, 0.0, 0

    def carried(self, one, other):
        """Bytes that have passed from one machine to another."""
        with self.lock:
            return self.links[(one, other)].bytes

    def close(self):
        """Stop."""
        self.running = False
        self.thread.join()
        for port in self.ports:
            port.drop()
            port.listener.close()

    # --- the thread -------------------------------------------------------

    def _loop(self):
        while self.running:
            wait = 0.2
            if self.late:
                wait = max(0.0, min(wait, self.late[0][0] - time.monotonic()))
            for key, events in self.selector.select(wait):
                kind, number = key.data
                if kind == "new":
                    self._accept(number)
                    continue
                if events & selectors.EVENT_READ:
                    self._read(number)
                if events & selectors.EVENT_WRITE:
                    self._write(number)
            now = time.monotonic()
            while self.late and self.late[0][0] <= now:
                _, _, number, frame = heapq.heappop(self.late)
                self._send(number, frame)

    def _accept(self, number):
        port = self.ports[number]
        sock, _ = port.listener.accept()
        self._gone(number)
        sock.setblocking(False)
        port.sock = sock
        self.selector.register(sock, selectors.EVENT_READ, ("data", number))

    def _gone(self, number):
        port = self.ports[number]
        if port.sock:
            self.selector.unregister(port.sock)
        port.drop()

    def _read(self, number):
        port = self.ports[number]
        try:
            data = port.sock.recv(1 << 18) if port.sock else b""
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            if port.sock:
                self._gone(number)
            return
        for frame in port.frames(data):
            self._forward(number, frame)

    def _forward(self, source, frame):
        # A frame begins with the address that it goes to; those of no known
        # port are for all (broadcast, multicast).
        known = frame[4:9] == b"\x52\x54\x00\xb1\x0c" and frame[9] < len(self.ports)
        for number in [frame[9]] if known else range(len(self.ports)):
            if number != source:
                self._carry(source, number, frame)

    def _carry(self, source, target, frame):
        with self.lock:
            link = self.links[(source, target)]
            if link.cut or (link.loss and self.random.random() < link.loss):
                return
            link.frames += 1
            link.bytes += len(frame)
            now = due = time.monotonic()
            if link.rate:
                due = max(now, link.busy_until) + len(frame) / link.rate
                if due - now > 0.5 + link.delay:
                    return      # the queue of a slow link is full
                link.busy_until = due
            due += link.delay
        if due <= now:
            self._send(target, frame)
        else:
            self.number += 1
            heapq.heappush(self.late, (due, self.number, target, frame))

    def _send(self, number, frame):
        port = self.ports[number]
        if not port.sock or port.queued > QUEUE_BYTES:
            return
        port.out.append(memoryview(frame))
        port.queued += len(frame)
        if len(port.out) == 1:
            self._write(number)

    def _write(self, number):
        port = self.ports[number]
        if not port.sock:
            return
        try:
            while port.out:
                done = port.sock.send(port.out[0])
                port.queued -= done
                if done < len(port.out[0]):
                    port.out[0] = port.out[0][done:]
                    break
                port.out.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._gone(number)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if port.out else 0)
        self.selector.modify(port.sock, events, ("data", number))
